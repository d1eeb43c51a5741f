//! The user's settings for cargo, and where they were found.

use std::path::PathBuf;

use super::configuration::{Configuration, Environment, cargo_home, environment};
use crate::error::BuildError;

pub(super) struct Users {
    /// Where cargo runs.
    pub crate_dir: PathBuf,
    pub cargo_home: PathBuf,
    pub environment: Environment,
    pub configuration: Configuration,
}

impl Users {
    /// # Errors
    /// When a file of cargo's configuration cannot be read.
    pub(super) fn read(crate_dir: PathBuf) -> Result<Users, BuildError> {
        let environment = environment();
        let cargo_home = cargo_home(&environment, &crate_dir);
        let configuration = Configuration::read(&crate_dir, &cargo_home)?;
        Ok(Users { crate_dir, cargo_home, environment, configuration })
    }

    /// The variables of the programs that cargo runs: those of the environment, and those that cargo adds to them.
    pub(super) fn variables(&self) -> Environment {
        let tables = self.configuration.values(&["env"]).filter_map(toml::Value::as_table).flatten();
        let text = |value: &toml::Value| value.as_str().or_else(|| value.get("value")?.as_str()).map(str::to_owned);
        let configured: Vec<_> = tables.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect();
        // The nearest file comes first.
        let mut variables: Environment = configured.into_iter().rev().collect();
        variables.extend(self.environment.clone());
        variables
    }
}
