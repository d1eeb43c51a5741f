//! The programs that the user's settings name for cargo and the compiler: cargo would notice only during the build that one
//! is missing.

use std::path::{Path, PathBuf};

use super::configuration::{Configuration, Environment, Named, variable_of};
use super::flags::codegen;
use super::toolchain::Target;
use crate::error::BuildError;

/// Variables, the first one that is set counts, and the key in cargo's configuration.
const WRAPPERS: [([&str; 2], [&str; 2]); 2] = [
    (["RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER"], ["build", "rustc-wrapper"]),
    (["RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER"], ["build", "rustc-workspace-wrapper"]),
];

/// The user's settings for a build of one target.
pub(super) struct Settings<'a> {
    pub configuration: &'a Configuration,
    pub environment: &'a Environment,
    /// Where cargo runs.
    pub crate_dir: &'a Path,
    pub cargo_home: &'a Path,
    pub target: &'a Target,
    /// The compiler's flags in force.
    pub flags: &'a [String],
    pub host: &'a str,
}

/// A program, and the setting that names it, for messages.
struct Wanted {
    program: PathBuf,
    set_by: String,
}

impl Wanted {
    fn by_file(named: Named) -> Wanted {
        let set_by = format!("`{}` sets it as `{}`", named.file.display(), named.key);
        Wanted { program: named.program, set_by }
    }
}

impl Settings<'_> {
    /// One error for each program that is named and not there.
    pub(super) fn missing(&self) -> Vec<BuildError> {
        let linker = self.linker_of_flags().or_else(|| self.linker()).map(|linker| ("link", linker));
        let wrappers = WRAPPERS.iter().filter_map(|(variables, key)| self.wrapper(variables, key));
        let all = wrappers.map(|wrapper| ("compile", wrapper)).chain(linker);
        all.filter(|(_, wanted)| !self.is_there(&wanted.program)).map(|(what, wanted)| error(what, &wanted)).collect()
    }

    /// The program that the user has put before the compiler.
    pub(super) fn wrapper_of_compiler(&self) -> Option<PathBuf> {
        let (variables, key) = WRAPPERS[0];
        self.wrapper(&variables, &key).map(|wanted| wanted.program)
    }

    /// A variable that is empty turns the wrapper off.
    fn wrapper(&self, variables: &[&str], key: &[&str]) -> Option<Wanted> {
        match variables.iter().find(|name| self.environment.contains_key(**name)) {
            Some(name) => self.by_variable(name),
            None => self.configuration.program(key).map(Wanted::by_file),
        }
    }

    fn linker(&self) -> Option<Wanted> {
        let variable = format!("CARGO_TARGET_{}_LINKER", variable_of(&self.target.triple));
        self.by_variable(&variable).or_else(|| {
            let found = self.configuration.program_for_target("linker", &self.target.triple, &self.target.cfgs);
            found.map(Wanted::by_file)
        })
    }

    /// `-C linker=…`, of which the last one counts, also before all other settings.
    fn linker_of_flags(&self) -> Option<Wanted> {
        let program = PathBuf::from(codegen(self.flags, "linker").pop()?);
        Some(Wanted { program, set_by: "the compiler's flags in your settings name it".into() })
    }

    fn by_variable(&self, name: &str) -> Option<Wanted> {
        let program = self.environment.get(name).filter(|value| !value.is_empty())?;
        Some(Wanted { program: program.into(), set_by: format!("the variable `{name}` names it") })
    }

    /// The compiler also finds the programs of its own toolchain. rustup adds those that cargo installed to `PATH`.
    fn is_there(&self, program: &Path) -> bool {
        if program.components().count() > 1 {
            return self.crate_dir.join(program).is_file();
        }
        let path = self.environment.get("PATH").map(String::as_str).unwrap_or_default();
        let own = self.target.sysroot.join("lib/rustlib").join(self.host).join("bin");
        let directories =
            std::env::split_paths(path).chain([self.cargo_home.join("bin"), own.join("self-contained"), own]);
        directories.map(|directory| self.crate_dir.join(directory).join(program)).any(|file| file.is_file())
    }
}

fn error(what: &str, Wanted { program, set_by }: &Wanted) -> BuildError {
    let is_path = program.components().count() > 1;
    let why = if is_path { "it does not exist" } else { "it is not in `PATH`" };
    BuildError::new(format!("cannot {what} with `{}`: {why}", program.display()))
        .because(set_by)
        .hint(format!("install `{}`, or change that setting", program.display()))
}

#[cfg(test)]
mod tests {
    use super::super::flags::in_force;
    use super::*;
    use std::str::FromStr;

    const TRIPLE: &str = "x86_64-unknown-linux-gnu";

    fn missing(configuration: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
        let place = tempfile::tempdir().unwrap();
        for program in ["bin/here", "cargo/bin/cached", "rust/lib/rustlib/host/bin/rust-lld", "tools/ld"] {
            std::fs::create_dir_all(place.path().join(program).parent().unwrap()).unwrap();
            std::fs::write(place.path().join(program), "").unwrap();
        }
        let path = place.path().join("bin").display().to_string();
        let variables = variables.iter().copied().chain([("PATH", &*path)]);
        let cfgs =
            ["unix", "target_os=\"linux\""].map(|cfg| cargo_metadata::cargo_platform::Cfg::from_str(cfg).unwrap());
        let target =
            Target { triple: TRIPLE.into(), sysroot: place.path().join("rust"), cfgs: cfgs.into(), has_std: true };
        let configuration = Configuration::of(configuration);
        let environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let settings = Settings {
            configuration: &configuration,
            environment: &environment,
            crate_dir: place.path(),
            cargo_home: &place.path().join("cargo"),
            target: &target,
            flags: &in_force(&configuration, &environment, TRIPLE, &target.cfgs),
            host: "host",
        };
        let told = |error: BuildError| format!("{}; {}", error.message, error.caused_by.join("; "));
        settings.missing().into_iter().map(told).collect()
    }

    #[test]
    fn a_linker_that_is_named_is_looked_up_wherever_it_is_named() {
        let told = |by: &str| vec![format!("cannot link with `no-ld`: it is not in `PATH`; {by}")];
        let in_file = |key: &str| told(&format!("`/w/.cargo/config.toml` sets it as `target.{key}.linker`"));
        let (own, unix) = ("target.x86_64-unknown-linux-gnu.linker", "target.'cfg(unix)'.linker");
        assert_eq!(missing(&[&format!("{own} = 'no-ld'")], &[]), in_file(TRIPLE));
        assert_eq!(missing(&[&format!("{unix} = 'no-ld'")], &[]), in_file("cfg(unix)"));
        assert_eq!(missing(&["target.'cfg(windows)'.linker = 'no-ld'"], &[]), [""; 0]);
        // The nearest file counts, and the target's own table before a condition.
        assert_eq!(missing(&[&format!("{own} = 'here'"), &format!("{own} = 'no-ld'")], &[]), [""; 0]);
        assert_eq!(missing(&[&format!("{unix} = 'no-ld'"), &format!("{own} = 'here'")], &[]), [""; 0]);
        let variable = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER";
        assert_eq!(missing(&[], &[(variable, "no-ld")]), told(&format!("the variable `{variable}` names it")));
        assert_eq!(missing(&[&format!("{own} = 'no-ld'")], &[(variable, "here")]), [""; 0]);
        for linker in ["rust-lld", "tools/ld", "cached"] {
            assert_eq!(missing(&[], &[(variable, linker)]), [""; 0], "{linker}");
        }
        assert!(missing(&[], &[(variable, "tools/no-ld")])[0].contains("it does not exist"));
    }

    #[test]
    fn the_flags_in_force_may_name_a_linker() {
        let told = ["cannot link with `no-ld`: it is not in `PATH`; the compiler's flags in your settings name it"];
        for flags in ["['-Clinker=no-ld']", "'-C linker=here -C linker=no-ld'", "['--codegen', 'linker=no-ld']"] {
            assert_eq!(missing(&[&format!("build.rustflags = {flags}")], &[]), told, "{flags}");
            assert_eq!(missing(&[&format!("target.'cfg(unix)'.rustflags = {flags}")], &[]), told, "{flags}");
            assert_eq!(missing(&[&format!("build.rustflags = {flags}")], &[("RUSTFLAGS", "-g")]), [""; 0], "{flags}");
        }
        assert_eq!(missing(&[], &[("CARGO_ENCODED_RUSTFLAGS", "-C\u{1f}linker=no-ld")]), told);
        assert_eq!(missing(&["build.rustflags = ['-Clinker-plugin-lto', '-Clink-arg=no-ld']"], &[]), [""; 0]);
    }

    #[test]
    fn wrappers_of_the_compiler_are_looked_up_unless_they_are_off() {
        let configured = ["build.rustc-wrapper = 'no-cache'\nbuild.rustc-workspace-wrapper = 'tools/none'"];
        let told = [
            "cannot compile with `no-cache`: it is not in `PATH`; \
             `/w/.cargo/config.toml` sets it as `build.rustc-wrapper`",
            "cannot compile with `/w/tools/none`: it does not exist; \
             `/w/.cargo/config.toml` sets it as `build.rustc-workspace-wrapper`",
        ];
        assert_eq!(missing(&configured, &[]), told);
        assert_eq!(missing(&configured, &[("RUSTC_WRAPPER", "")]), told[1..]);
        assert_eq!(missing(&configured, &[("RUSTC_WRAPPER", "here"), ("RUSTC_WORKSPACE_WRAPPER", "")]), [""; 0]);
    }
}
