//! Checks the variables that determine where calls go and with which credentials. This happens before the SDK reads
//! them, because the SDK ignores values that it does not understand, accepts the empty string as a value, and panics on
//! some others.

use super::endpoint;
use super::environment::{Environment, switch};
use super::error::{quoted, unusable};
use super::region::is_region;
use crate::apply::CloudError;
use crate::text::list;
use std::str::FromStr;

/// The required form of a variable.
enum Form {
    Region,
    Endpoint,
    /// An address from which credentials are read.
    Address,
    /// A path below the address of the container's agent.
    Path,
    Switch,
    Count,
    OneOf(&'static [&'static str]),
    /// Part of a header. It may be shown.
    Key,
    /// Part of a header, and secret.
    Secret,
    /// A file with certificates.
    Certificates,
    /// Directories with certificates.
    CertificateDirectories,
}

/// The variables that lamstream or the SDK reads and whose values are restricted.
const FORMS: [(&str, Form); 20] = [
    ("AWS_REGION", Form::Region),
    ("AWS_DEFAULT_REGION", Form::Region),
    ("AWS_ACCESS_KEY_ID", Form::Key),
    ("AWS_SECRET_ACCESS_KEY", Form::Secret),
    ("AWS_SESSION_TOKEN", Form::Secret),
    ("AWS_ENDPOINT_URL", Form::Endpoint),
    ("AWS_ENDPOINT_URL_SSO", Form::Endpoint),
    ("AWS_ENDPOINT_URL_SSO_OIDC", Form::Endpoint),
    ("AWS_ENDPOINT_URL_SIGNIN", Form::Endpoint),
    ("AWS_USE_FIPS_ENDPOINT", Form::Switch),
    ("AWS_USE_DUALSTACK_ENDPOINT", Form::Switch),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", Form::Switch),
    ("AWS_MAX_ATTEMPTS", Form::Count),
    ("AWS_RETRY_MODE", Form::OneOf(&["legacy", "standard", "adaptive"])),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", Form::Path),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", Form::Address),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN", Form::Secret),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", Form::Address),
    ("SSL_CERT_FILE", Form::Certificates),
    ("SSL_CERT_DIR", Form::CertificateDirectories),
];

impl Environment {
    /// # Errors
    /// If a variable is invalid. The message contains its name, its value unless that may be a secret, and what is
    /// expected.
    pub(super) fn check(&self) -> Result<(), CloudError> {
        for (name, value) in &self.0 {
            let Some(text) = value.to_str() else {
                return Err(unusable(&format!("`{name}`"), "its value is not valid UTF-8; set it again, or unset it"));
            };
            let form = FORMS.iter().find(|(known, _)| known == name).map(|(_, form)| form);
            match form {
                Some(form) => form.check(text),
                None if endpoint::is_variable(name) => Form::Endpoint.check(text),
                None => Ok(()),
            }
            .map_err(|why| unusable(&format!("`{name}`"), &why))?;
        }
        Ok(())
    }
}

impl Form {
    fn check(&self, text: &str) -> Result<(), String> {
        let expected = |what: &str| Err(format!("{} is not {what}", quoted(text)));
        match self {
            Form::Region if !is_region(text) => expected("a region such as `eu-central-1`"),
            Form::Endpoint => endpoint::parse(text).map(|_| ()),
            Form::Address => endpoint::address(text).map(|_| ()),
            Form::Path if !text.starts_with('/') || http::uri::PathAndQuery::from_str(text).is_err() => {
                expected("a path that begins with `/`")
            }
            Form::Switch => switch(text),
            Form::Count if !text.parse::<u32>().is_ok_and(|count| count > 0) => expected("a number above 0"),
            Form::OneOf(words) if !words.iter().any(|word| word.eq_ignore_ascii_case(text)) => {
                expected(&format!("one of {}", list::quoted(words.iter())))
            }
            Form::Key if !is_key(text) => expected("a key id: it has only letters and digits"),
            Form::Secret
                if !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') || text != text.trim() =>
            {
                Err("its value, which is not shown, has characters or line breaks that no credential has".to_owned())
            }
            Form::Certificates => match std::fs::read(text) {
                Err(error) => Err(format!("{} cannot be read: {error}", quoted(text))),
                Ok(bytes) if !holds(&bytes, b"-----BEGIN CERTIFICATE-----") => expected("a file with certificates"),
                Ok(_) => Ok(()),
            },
            Form::CertificateDirectories => {
                let filled = |directory| std::fs::read_dir(directory).is_ok_and(|entries| entries.count() > 0);
                match std::env::split_paths(text).any(filled) {
                    true => Ok(()),
                    false => expected("a directory with certificates"),
                }
            }
            _ => Ok(()),
        }
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn is_key(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;

    fn refusal(name: &str, value: &[u8]) -> Option<String> {
        let pair = (OsString::from(name), OsStr::from_bytes(value).to_owned());
        [pair].into_iter().collect::<Environment>().check().err().map(|error| error.to_string())
    }

    #[test]
    fn what_is_empty_is_not_set() {
        for value in ["", " ", "\n"] {
            let environment: Environment = [("AWS_REGION".into(), value.into())].into_iter().collect();
            assert!(!environment.has("AWS_REGION") && environment.check().is_ok());
        }
    }

    #[test]
    fn a_malformed_variable_is_named_with_what_is_expected() {
        for (name, value, words) in [
            ("AWS_REGION", "eu central 1", "`eu central 1` is not a region such as `eu-central-1`"),
            ("AWS_DEFAULT_REGION", "../evil", "`../evil` is not a region"),
            ("AWS_REGION", "it's \"x\\y\"", "`it's \"x\\y\"` is not a region"),
            ("AWS_REGION", "eu-central-1\n", "`eu-central-1\\n` is not a region"),
            ("AWS_USE_FIPS_ENDPOINT", "yes", "`yes` is not `true` or `false`"),
            ("AWS_MAX_ATTEMPTS", "banana", "`banana` is not a number above 0"),
            ("AWS_RETRY_MODE", "never", "`never` is not one of `legacy`, `standard`, `adaptive`"),
            ("AWS_ENDPOINT_URL", "localhost:4566", "`localhost:4566` is not an address"),
            ("AWS_ENDPOINT_URL_LAMBDA", "http://[::1", "`http://[::1` is not an address"),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "*", "`*` is not a path that begins with `/`"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "nonsense", "`nonsense` is not an address"),
            ("AWS_ACCESS_KEY_ID", "AKIA/20260101", "is not a key id"),
        ] {
            let message = refusal(name, value.as_bytes()).unwrap_or_default();
            assert!(message.starts_with(&format!("cannot use `{name}`: ")) && message.contains(words), "{message}");
        }
        let message = refusal("AWS_SECRET_ACCESS_KEY", b"planted\nvalue").expect("a refusal");
        assert!(!message.contains("planted"), "{message}");
        let message = refusal("AWS_CONFIG_FILE", b"\xff").expect("a refusal");
        assert_eq!(message, "cannot use `AWS_CONFIG_FILE`: its value is not valid UTF-8; set it again, or unset it");
    }
}
