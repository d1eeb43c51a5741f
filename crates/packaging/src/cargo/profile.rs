//! The cargo profile that a function is built with: the user's, or settings made for Lambda.

use toml::Table;

use super::configuration::{Configuration, Environment, lookup};
use super::preference::Profile;
use crate::error::{BuildError, list};

/// Small and fast to start, and a panic breaks the connection instead of ending a stream as if it were complete.
const FOR_LAMBDA: [(&str, &str); 4] =
    [("lto", "\"fat\""), ("codegen-units", "1"), ("panic", "\"abort\""), ("strip", "true")];

/// Profiles that every workspace has.
const BUILT_IN: [&str; 4] = ["dev", "release", "test", "bench"];

/// A profile of our own, which shares no build directory with the user's. It has the user's settings of `dev`.
const QUICK: &str = "lamstream";
/// Debug information makes linking slow, and the binary large. A panic does what it does on Lambda.
const FOR_HERE: [(&str, &str); 5] = [
    ("inherits", "\"dev\""),
    ("debug", "false"),
    ("strip", "\"debuginfo\""),
    ("incremental", "true"),
    ("panic", "\"abort\""),
];

/// Cargo's arguments that select the profile. `manifest` is the `Cargo.toml` at the workspace's root: cargo reads
/// profiles nowhere else. Keys of the release profile that the user has set anywhere are kept.
///
/// # Errors
/// When the wanted profile is not defined.
pub(super) fn arguments(
    wanted: &Profile,
    manifest: &Table,
    configuration: &Configuration,
    environment: &Environment,
) -> Result<Vec<String>, BuildError> {
    let written = |path: &[&str]| lookup(manifest, path).is_some() || configuration.values(path).next().is_some();
    let variable = |profile: &str| format!("CARGO_PROFILE_{}_", profile.to_uppercase().replace('-', "_"));
    if let Profile::Named(profile) = wanted {
        let in_environment = || environment.keys().any(|name| name.starts_with(&variable(profile)));
        return match BUILT_IN.contains(&profile.as_str()) || written(&["profile", profile]) || in_environment() {
            true => Ok(vec!["--profile".into(), profile.clone()]),
            false => Err(undefined(profile, manifest, configuration)),
        };
    }
    if *wanted == Profile::Quick {
        let settings =
            FOR_HERE.iter().flat_map(|(key, value)| ["--config".into(), format!("profile.{QUICK}.{key}={value}")]);
        return Ok(["--profile".into(), QUICK.into()].into_iter().chain(settings).collect());
    }
    if written(&["profile", "lambda"]) {
        return Ok(vec!["--profile".into(), "lambda".into()]);
    }
    let in_environment = |key: &str| {
        environment.contains_key(&format!("{}{}", variable("release"), key.to_uppercase().replace('-', "_")))
    };
    let mut arguments = vec!["--release".to_string()];
    for (key, value) in FOR_LAMBDA {
        if !written(&["profile", "release", key]) && !in_environment(key) {
            arguments.extend(["--config".into(), format!("profile.release.{key}={value}")]);
        }
    }
    Ok(arguments)
}

fn undefined(profile: &str, manifest: &Table, configuration: &Configuration) -> BuildError {
    let profiles = lookup(manifest, &["profile"]).into_iter().chain(configuration.values(&["profile"]));
    let defined = profiles.filter_map(toml::Value::as_table).flat_map(Table::keys).map(String::as_str);
    let all: std::collections::BTreeSet<&str> = defined.chain(BUILT_IN).collect();
    BuildError::new(format!("cannot build with the profile `{profile}`: the workspace does not define it"))
        .at(&["build.profile"])
        .hint(format!("its profiles: {}; cargo reads those of `Cargo.toml` at the workspace's root only", list(all)))
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
        let arguments =
            arguments(&Profile::Lambda, &Table::new(), &Configuration::default(), &Environment::new()).unwrap();
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
            &Profile::Lambda,
            &manifest("[profile.release]\nlto = false"),
            &Configuration::of(&["[profile.release]\npanic = 'unwind'", "[profile.release]\nopt-level = 2"]),
            &Environment::from([("CARGO_PROFILE_RELEASE_CODEGEN_UNITS".into(), "4".into())]),
        )
        .unwrap();
        assert_eq!(config_values(&arguments), ["profile.release.strip=true"]);
    }

    #[test]
    fn a_profile_named_lambda_is_taken_whole() {
        let written = manifest("[profile.lambda]\ninherits = 'release'");
        let chosen = |manifest: &Table, configured: &Configuration| {
            arguments(&Profile::Lambda, manifest, configured, &Environment::new()).unwrap()
        };
        let expected = ["--profile", "lambda"];
        assert_eq!(chosen(&written, &Configuration::default()), expected);
        let configured = Configuration::of(&["[profile.lambda]\ninherits = 'release'"]);
        assert_eq!(chosen(&Table::new(), &configured), expected);
    }

    #[test]
    fn a_profile_that_the_manifest_names_is_used_as_it_is() {
        let written = manifest("[profile.lambda]\ninherits = 'release'\n[profile.small]\ninherits = 'release'");
        let chosen = |profile: &str, variables: &[&str]| {
            let variables = variables.iter().map(|name| (name.to_string(), "1".to_owned())).collect();
            arguments(&Profile::Named(profile.to_owned()), &written, &Configuration::default(), &variables)
        };
        for profile in ["small", "release", "dev"] {
            assert_eq!(chosen(profile, &[]).unwrap(), ["--profile", profile]);
        }
        assert_eq!(chosen("mine", &["CARGO_PROFILE_MINE_INHERITS"]).unwrap(), ["--profile", "mine"]);
        let error = chosen("smal", &[]).unwrap_err();
        assert_eq!(error.message, "cannot build with the profile `smal`: the workspace does not define it");
        assert!(error.hints[0].starts_with("its profiles: `bench`, `dev`, `lambda`, `release`, `small` and `test`"));
    }
}
