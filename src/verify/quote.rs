//! Quotes of a response.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// How many characters of a body are quoted.
const LONGEST: usize = 600;

/// The start of a body on one line, ready to be quoted.
pub(super) fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body).replace(|character: char| character.is_control(), " ");
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The message of an error's JSON after its type, or the whole text if it is not JSON.
pub(super) fn error(details: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(details).ok();
    let field = |name: &str| parsed.as_ref()?.get(name)?.as_str().map(str::to_owned);
    match (field("errorType"), field("errorMessage")) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (kind, message) => message.or(kind).unwrap_or_else(|| details.to_owned()),
    }
}

/// What a runtime's report of a failed stream says: the error's type, and its body without the Base64. Other text, and a
/// report that is cut off, are quoted as they are.
pub(super) fn report(text: &[u8]) -> String {
    let whole = String::from_utf8_lossy(text);
    let field = |name: &str| {
        let (_, rest) = whole.split_once(name)?;
        rest.lines().next().map(str::trim)
    };
    let decoded = || {
        let body = STANDARD.decode(field("Lambda-Runtime-Function-Error-Body:")?).ok()?;
        let body = error(&words(&body));
        let kind = field("Lambda-Runtime-Function-Error-Type:")?;
        let whole = match body.as_str() {
            // lambda_runtime has no more to say of some errors.
            "" | "{}" => kind.to_owned(),
            body if body.starts_with(kind) => body.to_owned(),
            body => format!("{kind}: {body}"),
        };
        Some(words(whole.as_bytes()))
    };
    decoded().unwrap_or_else(|| words(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_words_are_one_short_line() {
        assert_eq!(words(b"a\n\t b\x1b[31m"), "a b [31m");
        assert_eq!(words("é".repeat(700).as_bytes()).chars().count(), LONGEST + 1);
    }

    #[test]
    fn the_report_of_a_failed_stream_is_decoded() {
        let said = |kind: &str, body: &str| {
            let text = format!(
                "Lambda-Runtime-Function-Error-Type: {kind}\r\nLambda-Runtime-Function-Error-Body: {body}\r\nmore"
            );
            report(text.as_bytes())
        };
        assert_eq!(said("Runtime.StreamError", &STANDARD.encode("no\tmodel")), "Runtime.StreamError: no model");
        let json = STANDARD.encode(r#"{"errorType":"ValueError","errorMessage":"no model"}"#);
        assert_eq!(said("ValueError", &json), "ValueError: no model");
        assert_eq!(said("Unhandled", &json), "Unhandled: ValueError: no model");
        assert_eq!(said("Boom", &STANDARD.encode("{}")), "Boom");
        // Not Base64, and cut off.
        assert!(said("X", "***").contains("Error-Type: X Lambda-Runtime-Function-Error-Body: *** more"));
        assert_eq!(report(b"Lambda-Runtime-Function-Error-Type: X"), "Lambda-Runtime-Function-Error-Type: X");
    }
}
