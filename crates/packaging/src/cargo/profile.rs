//! The cargo profile that a function is built with: the user's, or settings made for Lambda.

use toml::Table;

use super::configuration::{Configuration, Environment, lookup};

/// Small and fast to start, and a panic breaks the connection instead of ending a stream as if it were complete.
const FOR_LAMBDA: [(&str, &str); 4] =
    [("lto", "\"fat\""), ("codegen-units", "1"), ("panic", "\"abort\""), ("strip", "true")];

/// Cargo's arguments that select the profile. `manifest` is the `Cargo.toml` at the workspace's root: cargo reads
/// profiles nowhere else. Keys of the release profile that the user has set anywhere are kept.
pub fn arguments(manifest: &Table, configuration: &Configuration, environment: &Environment) -> Vec<String> {
    let written = |path: &[&str]| lookup(manifest, path).is_some() || configuration.values(path).next().is_some();
    if written(&["profile", "lambda"]) {
        return vec!["--profile".into(), "lambda".into()];
    }
    let in_environment = |key: &str| {
        environment.contains_key(&format!("CARGO_PROFILE_RELEASE_{}", key.to_uppercase().replace('-', "_")))
    };
    let mut arguments = vec!["--release".to_string()];
    for (key, value) in FOR_LAMBDA {
        if !written(&["profile", "release", key]) && !in_environment(key) {
            arguments.extend(["--config".into(), format!("profile.release.{key}={value}")]);
        }
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_values(arguments: &[String]) -> Vec<&str> {
        arguments.iter().map(String::as_str).filter(|argument| argument.starts_with("profile.")).collect()
    }

    fn manifest(text: &str) -> Table {
        text.parse().unwrap()
    }

    #[test]
    fn without_a_word_from_the_user_it_is_made_for_lambda() {
        let arguments = arguments(&Table::new(), &Configuration::default(), &Environment::new());
        assert_eq!(arguments[0], "--release");
        assert_eq!(
            config_values(&arguments),
            [
                "profile.release.lto=\"fat\"",
                "profile.release.codegen-units=1",
                "profile.release.panic=\"abort\"",
                "profile.release.strip=true"
            ]
        );
    }

    #[test]
    fn each_key_that_the_user_set_is_left_alone_wherever_it_was_set() {
        let arguments = arguments(
            &manifest("[profile.release]\nlto = false"),
            &Configuration::of(&["[profile.release]\npanic = 'unwind'", "[profile.release]\nopt-level = 2"]),
            &Environment::from([("CARGO_PROFILE_RELEASE_CODEGEN_UNITS".into(), "4".into())]),
        );
        assert_eq!(config_values(&arguments), ["profile.release.strip=true"]);
    }

    #[test]
    fn a_profile_named_lambda_is_taken_whole() {
        let written = manifest("[profile.lambda]\ninherits = 'release'");
        let expected = ["--profile", "lambda"];
        assert_eq!(arguments(&written, &Configuration::default(), &Environment::new()), expected);
        let configured = Configuration::of(&["[profile.lambda]\ninherits = 'release'"]);
        assert_eq!(arguments(&Table::new(), &configured, &Environment::new()), expected);
    }
}
