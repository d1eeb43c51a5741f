//! Which target a crate is built for: the manifest's, or the user's of cargo if Lambda can run it, or this machine's.

use super::configuration::{Configuration, Environment};
use super::preference::Preference;
use super::toolchain;
use crate::error::{BuildError, list};
use crate::machine::{Machine, OperatingSystem};

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
    machine: Machine,
) -> Result<Chosen, BuildError> {
    if let Some(target) = &preference.target {
        return Ok(Chosen { triple: target.clone(), set_by: None, note: None });
    }
    let own = || toolchain::triple(host, machine);
    let Some((targets, set_by)) = configured(configuration, environment) else {
        return Ok(Chosen { triple: own()?, set_by: None, note: None });
    };
    let cpu = machine.architecture.cpu();
    let of_lambda = [format!("{cpu}-unknown-linux-gnu"), format!("{cpu}-unknown-linux-musl")];
    let fits = |target: &String| {
        own().as_ref() == Ok(target) || machine.system == OperatingSystem::Linux && of_lambda.contains(target)
    };
    if let Some(triple) = targets.iter().find(|target| fits(target)) {
        return Ok(Chosen { triple: triple.clone(), set_by: Some(set_by), note: None });
    }
    let triple = own()?;
    let names = list(targets.iter().map(String::as_str));
    let place = match machine.system {
        OperatingSystem::Linux => format!("on Lambda with `{machine}`"),
        OperatingSystem::Macos => "here".to_owned(),
    };
    let note = format!("built for `{triple}`: {set_by}, but {names} does not run {place}");
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
    use crate::architecture::Architecture;

    const HOST: &str = "x86_64-unknown-linux-gnu";
    const MUSL: &str = "x86_64-unknown-linux-musl";

    fn chosen(configuration: &[&str], variable: Option<&str>, architecture: Architecture) -> Chosen {
        let environment = variable.map(|target| ("CARGO_BUILD_TARGET".to_owned(), target.to_owned()));
        let environment = environment.into_iter().collect();
        let configuration = Configuration::of(configuration);
        choose(&Preference::default(), &configuration, &environment, HOST, architecture.into()).unwrap()
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
    fn a_mac_builds_for_lambda_with_musl_and_for_itself_without_linux() {
        const MAC: &str = "aarch64-apple-darwin";
        let lambda = Machine::from(Architecture::Arm64);
        let itself = Machine { system: OperatingSystem::Macos, ..lambda };
        let on_mac = |machine, configuration: &[&str]| {
            let configuration = Configuration::of(configuration);
            choose(&Preference::default(), &configuration, &Environment::new(), MAC, machine).unwrap()
        };
        assert_eq!(on_mac(lambda, &[]).triple, "aarch64-unknown-linux-musl");
        assert_eq!(on_mac(itself, &[]), Chosen { triple: MAC.into(), set_by: None, note: None });
        let gnu = "build.target = 'aarch64-unknown-linux-gnu'";
        assert_eq!(on_mac(lambda, &[gnu]).triple, "aarch64-unknown-linux-gnu");
        let chosen = on_mac(itself, &[gnu]);
        assert_eq!(chosen.triple, MAC);
        assert!(chosen.note.unwrap().ends_with("but `aarch64-unknown-linux-gnu` does not run here"));
    }

    #[test]
    fn the_manifests_target_comes_first() {
        let preference = Preference { target: Some(MUSL.into()), ..Preference::default() };
        let configuration = Configuration::of(&["build.target = 'x86_64-unknown-linux-gnu'"]);
        let environment = Environment::new();
        let chosen = choose(&preference, &configuration, &environment, HOST, Architecture::X86_64.into()).unwrap();
        assert_eq!(chosen.triple, MUSL);
    }
}
