//! The names of the parameters that `secret` stores for an app in Parameter Store.

/// The longest name of a secret.
pub const LONGEST_SECRET: usize = 200;

/// What a parameter's name must not begin with, in any case of letters.
const RESERVED: [&str; 2] = ["aws", "ssm"];

/// `/APP` or `/APP/STAGE`: what the names of all secrets begin with.
pub fn secret_path(app: &str, stage: Option<&str>) -> String {
    stage.map_or_else(|| format!("/{app}"), |stage| format!("/{app}/{stage}"))
}

/// Whether a text can be the name of a secret: the last part of its parameter's name.
pub fn is_secret_name(text: &str) -> bool {
    let is_valid = |letter: u8| letter.is_ascii_alphanumeric() || b"_.-".contains(&letter);
    (1..=LONGEST_SECRET).contains(&text.len()) && text.bytes().all(is_valid) && !text.starts_with('-')
}

/// The beginning of a parameter's name or path that AWS reserves for itself, if it has one.
pub fn reserved_prefix(parameter: &str) -> Option<&'static str> {
    let name = parameter.trim_start_matches('/').as_bytes();
    let begins =
        |prefix: &&str| name.get(..prefix.len()).is_some_and(|own| own.eq_ignore_ascii_case(prefix.as_bytes()));
    RESERVED.into_iter().find(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_aws_reserves_are_known_in_any_case() {
        assert_eq!(reserved_prefix("/ssm-tool/TOKEN"), Some("ssm"));
        assert_eq!(reserved_prefix("AWSome"), Some("aws"));
        assert_eq!(reserved_prefix("/shop/ssm"), None);
        assert_eq!(reserved_prefix("/a"), None);
    }

    #[test]
    fn a_secret_is_named_by_one_part_of_a_path() {
        assert_eq!(secret_path("shop", Some("prod")), "/shop/prod");
        assert!(
            is_secret_name("TOKEN_1.x-y") && !is_secret_name("a/b") && !is_secret_name("-x") && !is_secret_name("")
        );
        assert!(is_secret_name(&"x".repeat(200)) && !is_secret_name(&"x".repeat(201)));
    }
}
