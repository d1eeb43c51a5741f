//! The profiles in the AWS configuration files, and the profile that the user named.

use super::environment::{self, Environment};
use super::error::{quoted, trouble, unusable};
use crate::apply::{CloudError, Reason};
use crate::text;
use aws_config::profile::ProfileSet;
use aws_types::os_shim_internal::Fs;
use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const DEFAULT: &str = "default";
/// Settings that are on or off and change where calls go.
const SWITCHES: [&str; 3] = ["use_fips_endpoint", "use_dualstack_endpoint", "ignore_configured_endpoint_urls"];

/// All profiles, and which of them is selected.
#[derive(Debug)]
pub(super) struct Profiles {
    set: ProfileSet,
    /// The profile that the user named.
    pub named: Option<String>,
    /// Why a file cannot be read; `None` if both can be read or do not exist.
    unreadable: Option<String>,
}

impl Profiles {
    /// Reads both files. `flag` is the value of `--profile`.
    ///
    /// # Errors
    /// If a file is malformed, the profile does not exist, or two variables name different profiles.
    pub(super) async fn load(flag: Option<&str>, environment: &Environment) -> Result<Profiles, CloudError> {
        let named = named(flag, environment)?;
        let selected = named.clone().map_or(Cow::Borrowed(DEFAULT), Cow::Owned);
        let loaded =
            aws_config::profile::load(&Fs::real(), &environment.as_sdk(), &Default::default(), Some(selected)).await;
        let set = loaded.map_err(|error| {
            let why = trouble(&error).split_whitespace().collect::<Vec<_>>().join(" ");
            unusable("the AWS configuration files", &why)
        })?;
        let files = ConfigFiles::of(environment);
        let profiles = Profiles { set, named, unreadable: files.unreadable() };
        match &profiles.named {
            Some(name) if profiles.set.get_profile(name).is_none() => Err(profiles.unknown(name, &files)),
            _ => Ok(profiles),
        }
    }

    /// The profile from which settings are read, whether it exists or not.
    pub(super) fn selected(&self) -> &str {
        self.set.selected_profile()
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.set.get(key).filter(|value| !value.trim().is_empty())
    }

    pub(super) fn has_default(&self) -> bool {
        self.set.get_profile(DEFAULT).is_some()
    }

    /// The region of the profile, or of the profile that provides its credentials, with the name of that profile.
    pub(super) fn region(&self) -> Option<(&str, &str)> {
        let mut seen: Vec<&str> = Vec::new();
        let mut name = self.selected();
        while !seen.contains(&name) {
            seen.push(name);
            let profile = self.set.get_profile(name)?;
            match profile.get("region").filter(|region| !region.trim().is_empty()) {
                Some(region) => return Some((name, region)),
                None => name = profile.get("source_profile")?,
            }
        }
        None
    }

    /// # Errors
    /// If a setting of the selected profile is malformed; the SDK would ignore it.
    pub(super) fn check(&self) -> Result<(), CloudError> {
        for key in SWITCHES {
            if let Some(Err(why)) = self.get(key).map(environment::switch) {
                return Err(unusable(&format!("the `{key}` of profile {}", quoted(self.selected())), &why));
            }
        }
        Ok(())
    }

    /// # Errors
    /// If a file cannot be read. It may contain the credentials, and another source would be used instead of them.
    pub(super) fn readable(&self) -> Result<(), CloudError> {
        match &self.unreadable {
            Some(why) => Err(unusable("the AWS configuration files", why)),
            None => Ok(()),
        }
    }

    fn unknown(&self, name: &str, files: &ConfigFiles) -> CloudError {
        let mut known: Vec<&str> = self.set.profiles().collect();
        known.sort_unstable();
        let known: Vec<String> = known.into_iter().map(quoted).collect();
        let (config, credentials) = (quoted(&files.config.text()), quoted(&files.credentials.text()));
        let there = match known.len() {
            0 => format!("no profiles found in {config} or {credentials}"),
            _ => format!("profiles in {config} and {credentials}: {}", known.join(", ")),
        };
        let mut why = format!("the profile does not exist; {there}");
        if let Some(unreadable) = &self.unreadable {
            why = format!("{why}; {unreadable}");
        }
        if files.has_unprefixed(name) {
            why = format!("{why}; in {config} write `[profile {name}]` instead of `[{name}]`");
        }
        CloudError::new(format!("use profile {}", quoted(name)), Reason::Settings, why)
    }

    /// The command that renews the profile's login, if there is one. A profile with a role uses the login of its source
    /// profile.
    pub(super) fn login(&self) -> Option<String> {
        let mut seen: Vec<&str> = Vec::new();
        let mut name = self.selected();
        while !seen.contains(&name) {
            seen.push(name);
            let profile = self.set.get_profile(name)?;
            let has = |key: &str| profile.get(key).is_some_and(|value| !value.trim().is_empty());
            let command = match (has("login_session"), has("sso_session") || has("sso_start_url")) {
                (true, _) => "aws login",
                (false, true) => "aws sso login",
                (false, false) => {
                    name = profile.get("source_profile")?;
                    continue;
                }
            };
            return Some(format!("{command} --profile {}", text::quoted(name)));
        }
        None
    }

    /// How the selected profile gets its credentials.
    pub(super) fn kind(&self) -> &'static str {
        let has = |key: &str| self.get(key).is_some();
        match () {
            () if has("role_arn") => "a role",
            () if has("sso_session") || has("sso_start_url") => "SSO",
            () if has("login_session") => "`aws login`",
            () if has("credential_process") => "a command",
            () => "keys",
        }
    }

    /// The message for a profile without credentials.
    pub(super) fn without_credentials(&self) -> String {
        let has = |key: &str| self.get(key).is_some();
        let half = match (has("aws_access_key_id"), has("aws_secret_access_key")) {
            (true, false) => "it has `aws_access_key_id` and no `aws_secret_access_key`",
            (false, true) => "it has `aws_secret_access_key` and no `aws_access_key_id`",
            _ => "it has no credentials",
        };
        format!(
            "{half}; expected `aws_access_key_id` and `aws_secret_access_key`, `role_arn` with `source_profile` or `credential_source`, `sso_session`, \
             `login_session` or `credential_process`"
        )
    }
}

/// The name that the user gave. The AWS CLI prefers `AWS_DEFAULT_PROFILE` to `AWS_PROFILE`, and the SDKs read only the
/// latter. If they differ, either choice would be a guess.
fn named(flag: Option<&str>, environment: &Environment) -> Result<Option<String>, CloudError> {
    match flag.map(str::trim) {
        Some("") => return Err(unusable("`--profile`", "it is empty; expected the name of a profile")),
        Some(_) => return Ok(flag.map(str::to_owned)),
        None => {}
    }
    match (environment.get("AWS_PROFILE"), environment.get("AWS_DEFAULT_PROFILE")) {
        (Some(one), Some(other)) if one != other => {
            let why = format!("they name different profiles, {} and {}; unset one of them", quoted(one), quoted(other));
            Err(unusable("`AWS_PROFILE` and `AWS_DEFAULT_PROFILE`", &why))
        }
        (one, other) => Ok(one.or(other).map(str::to_owned)),
    }
}

/// The files in which profiles are searched.
struct ConfigFiles {
    config: ProfileFile,
    credentials: ProfileFile,
}

struct ProfileFile {
    path: PathBuf,
    /// Whether a variable names it.
    named: bool,
}

impl ConfigFiles {
    fn of(environment: &Environment) -> ConfigFiles {
        let home = environment.get("HOME");
        let file = |variable: &str, usual: &str| {
            let said = environment.get(variable);
            let path = said.unwrap_or(usual);
            let path = match (path.strip_prefix("~/"), home) {
                (Some(rest), Some(home)) => Path::new(home).join(rest),
                _ => PathBuf::from(path),
            };
            ProfileFile { path, named: said.is_some() }
        };
        ConfigFiles {
            config: file("AWS_CONFIG_FILE", "~/.aws/config"),
            credentials: file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        }
    }

    fn unreadable(&self) -> Option<String> {
        self.config.unreadable().or_else(|| self.credentials.unreadable())
    }

    /// Whether the file contains the name in the spelling that is valid only in the other file.
    fn has_unprefixed(&self, name: &str) -> bool {
        let text = std::fs::read_to_string(&self.config.path).unwrap_or_default();
        text.lines().any(|line| line.trim() == format!("[{name}]"))
    }
}

impl ProfileFile {
    fn text(&self) -> String {
        self.path.display().to_string()
    }

    /// Why the file cannot be read. The SDK treats a file that it cannot read as empty.
    fn unreadable(&self) -> Option<String> {
        match std::fs::read(&self.path).map(String::from_utf8) {
            Ok(Ok(_)) => None,
            Ok(Err(_)) => Some(format!("{} is not valid UTF-8", quoted(&self.text()))),
            // As in the AWS CLI, naming a file that does not exist selects an empty configuration.
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) if error.kind() == ErrorKind::NotADirectory && !self.named => None,
            Err(error) => Some(format!("{} cannot be read: {error}", quoted(&self.text()))),
        }
    }
}
