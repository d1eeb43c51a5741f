//! Which target a crate is built for: the manifest's, or the user's of cargo if Lambda can run it, or this machine's.

use super::configuration::{Configuration, Environment};
use super::preference::Preference;
use super::toolchain;
use crate::architecture::Architecture;
use crate::error::{BuildError, list};

/// A target, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub triple: String,
    /// The setting of cargo that names it, for messages.
    pub set_by: Option<String>,
    /// A setting that was not heeded.
    pub note: Option<String>,
}

/// # Errors
/// When this machine cannot build for Lambda.
pub(super) fn choose(
    preference: &Preference,
    configuration: &Configuration,
    environment: &Environment,
    host: &str,
    architecture: Architecture,
) -> Result<Chosen, BuildError> {
    if let Some(target) = &preference.target {
        return Ok(Chosen { triple: target.clone(), set_by: None, note: None });
    }
    let own = || toolchain::triple(host, architecture);
    let Some((targets, set_by)) = configured(configuration, environment) else {
        return Ok(Chosen { triple: own()?, set_by: None, note: None });
    };
    let cpu = architecture.cpu();
    let fitting = [format!("{cpu}-unknown-linux-gnu"), format!("{cpu}-unknown-linux-musl")];
    if let Some(triple) = targets.iter().find(|target| fitting.contains(target) || own().as_ref() == Ok(target)) {
        return Ok(Chosen { triple: triple.clone(), set_by: Some(set_by), note: None });
    }
    let triple = own()?;
    let names = list(targets.iter().map(String::as_str));
    let note = format!("built for `{triple}`: {set_by}, but {names} does not run on Lambda with `{architecture}`");
    Ok(Chosen { triple, set_by: None, note: Some(note) })
}

/// The targets that cargo would build for; a variable comes before the files.
fn configured(configuration: &Configuration, environment: &Environment) -> Option<(Vec<String>, String)> {
    if let Some(target) = environment.get("CARGO_BUILD_TARGET").filter(|target| !target.is_empty()) {
        return Some((vec![target.clone()], format!("`CARGO_BUILD_TARGET` is `{target}`")));
    }
    let (targets, file) = configuration.targets().filter(|(targets, _)| !targets.is_empty())?;
    let set_by = format!("`{}` sets `build.target` to {}", file.display(), list(targets.iter().map(String::as_str)));
    Some((targets, set_by))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "x86_64-unknown-linux-gnu";
    const MUSL: &str = "x86_64-unknown-linux-musl";

    fn chosen(configuration: &[&str], variable: Option<&str>, architecture: Architecture) -> Chosen {
        let environment = variable.map(|target| ("CARGO_BUILD_TARGET".to_owned(), target.to_owned()));
        let environment = environment.into_iter().collect();
        let configuration = Configuration::of(configuration);
        choose(&Preference::default(), &configuration, &environment, HOST, architecture).unwrap()
    }

    #[test]
    fn cargos_own_target_is_heeded_where_lambda_runs_it() {
        let musl = "build.target = 'x86_64-unknown-linux-musl'";
        let several = "build.target = ['wasm32-unknown-unknown', 'x86_64-unknown-linux-musl']";
        for configuration in [musl, several] {
            assert_eq!(chosen(&[configuration], None, Architecture::X86_64).triple, MUSL, "{configuration}");
        }
        assert_eq!(chosen(&[], Some(MUSL), Architecture::X86_64).triple, MUSL);
        assert_eq!(chosen(&[musl], Some(HOST), Architecture::X86_64).triple, HOST);
        assert_eq!(chosen(&[], None, Architecture::X86_64), Chosen { triple: HOST.into(), set_by: None, note: None });
    }

    #[test]
    fn a_target_that_lambda_does_not_run_is_reported() {
        let wasm = chosen(&["build.target = 'wasm32-unknown-unknown'"], None, Architecture::X86_64);
        assert_eq!(wasm.triple, HOST);
        assert_eq!(
            wasm.note.unwrap(),
            "built for `x86_64-unknown-linux-gnu`: `/w/.cargo/config.toml` sets `build.target` to \
             `wasm32-unknown-unknown`, but `wasm32-unknown-unknown` does not run on Lambda with `x86_64`"
        );
        let other = chosen(&[], Some(MUSL), Architecture::Arm64);
        assert_eq!(other.triple, "aarch64-unknown-linux-gnu");
        assert!(other.note.unwrap().contains("`CARGO_BUILD_TARGET` is `x86_64-unknown-linux-musl`"));
    }

    #[test]
    fn the_manifests_target_comes_first() {
        let preference = Preference { target: Some(MUSL.into()), ..Preference::default() };
        let configuration = Configuration::of(&["build.target = 'x86_64-unknown-linux-gnu'"]);
        let environment = Environment::new();
        let chosen = choose(&preference, &configuration, &environment, HOST, Architecture::X86_64).unwrap();
        assert_eq!(chosen.triple, MUSL);
    }
}
