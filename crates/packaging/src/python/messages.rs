//! Why pip or uv failed, by its messages: neither reports the reason in any other way.
//!
//! The lists below are all that lamstream recognizes of them. If a tool rewords one, an error becomes less specific.

use std::path::Path;

use super::pip_log::Log;
use super::range::Range;
use super::requirement::Requirement;
use super::wheel;
use crate::address;
use crate::error::BuildError;
use crate::runtime::Platform;
use crate::tool::{Tell, failed};

/// pip, before the requirement. It reports an unknown package in the same way.
const PIP_NONE: &str = "No matching distribution found for ";
/// pip, before versions with the Python that each requires.
const PIP_OTHER_PYTHON: &str = "require a different python version: ";
const PIP_REQUIRES_PYTHON: &str = " Requires-Python ";

/// uv, after the requirement.
const UV_NO_WHEEL: [&str; 6] = [
    "has no wheels",
    "has no usable wheels",
    "has no matching wheels",
    "have no wheels",
    "have no usable wheels",
    "have no matching wheels",
];
/// uv, before the package.
const UV_NOT_BUILT: [&str; 2] = ["Failed to build `", "Failed to download and build `"];
/// uv, after ``Package `NAME` ``, if the only file is a source archive.
const UV_NO_BUILD: &str = "marked as `--no-build`";
/// uv, around the name of a directory, an archive or a repository whose metadata only its build can tell.
const UV_DYNAMIC: [&str; 2] = ["Building source distributions for `", "` is disabled"];
/// uv, if Git could not get a repository, and how Git's own reasons start.
const UV_GIT_FAILED: &str = "Git operation failed";
const GIT: [&str; 2] = ["fatal: ", "remote: "];
/// pip, before the options and the address of a repository that it could not get.
const PIP_CLONES: &str = "git clone ";
/// uv, after the requirement: an index does not have it, or a `--find-links` directory.
const UV_UNKNOWN: [&str; 2] =
    ["was not found in the package registry", "was not found in the provided package locations"];
/// uv, between a package and what it requires.
const UV_DEPENDS: [&str; 2] = [" depends on ", " depend on "];
/// uv, around the file name of a wheel that it has built for this machine.
const UV_BUILT: [&str; 2] = ["The built wheel `", "` is not compatible"];
/// uv, before the versions that are available, and between them and what requires another one.
const UV_ONLY: &str = "only ";
const UV_AND: &str = " and ";
/// uv, before the requirement.
const UV_NO_VERSION: [&str; 2] = ["there is no version of ", "there are no versions of "];
/// uv, before the Python that a package requires, and after the package.
const UV_OTHER_PYTHON: [&str; 2] = [" does not satisfy Python", " depends on Python"];
/// uv, about an option or a value that it does not support yet.
const UV_TOO_OLD: [&str; 2] = ["'pylock.toml'", "'--format"];

/// Writes the list of a project that uv manages, without the project itself, which would be a link to this machine.
pub(super) const UV_EXPORT: &str = "uv export --no-dev --no-emit-project -o requirements.txt";

/// Warnings about a package, as opposed to those about this machine.
const ABOUT_A_PACKAGE: [&str; 4] =
    ["does not provide the extra", "does not have an extra", "yanked", "does not have any extra"];

/// Passes on only what a tool says about packages. Its other warnings are about this machine, and its errors are reported once,
/// in the end.
pub(super) fn filter<'a>(tell: Tell<'a>) -> impl Fn(&str) + Sync + 'a {
    move |line: &str| {
        if ABOUT_A_PACKAGE.iter().any(|words| line.contains(words)) {
            tell(line);
        }
    }
}

/// Why a package is not installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It may have a source archive.
    WithoutWheel(String),
    Unknown(String),
    /// The index has it in other versions; the newest one, if known.
    NoVersion(String, Option<String>),
    NeedsPython(String, String),
    /// Its source archive.
    NotBuilt(String),
    /// Its repository, and what Git says; pip may not repeat it.
    NotFetched(String, String),
}

/// The error for a list that pip or uv did not install: the reason, or the tool's last lines.
pub(super) fn not_installed(list: &Path, platform: &Platform, said: &[String], log: Option<&Log>) -> BuildError {
    let (file, runtime, architecture) = (list.display(), &platform.runtime, platform.architecture);
    let Some(why) = refused(said, log) else {
        return failed(
            format!("cannot install the dependencies in `{file}` for `{runtime}` on `{architecture}`"),
            said,
        );
    };
    if let Refused::NotBuilt(package) = &why {
        let built = built_wheel(said).map(|wheel| {
            let name = Requirement::parse(package).map_or(package.clone(), |found| found.name);
            wheel::refuse_compiled(&name, Path::new(&wheel), platform, "its source")
        });
        return built.and_then(Result::err).unwrap_or_else(|| not_built(package, platform, said));
    }
    let error = why.error(platform);
    match required_by(why.package(), said) {
        Some(other) => error.because(format!("`{other}` requires it, and `{file}` leads to that")),
        None => error.because(format!("`{file}` requires it")),
    }
}

/// The file name of a wheel that uv has built, and that is not for the platform.
fn built_wheel(said: &[String]) -> Option<String> {
    let text = said.join(" ");
    let (_, rest) = text.split_once(UV_BUILT[0])?;
    rest.split_once(UV_BUILT[1]).map(|(wheel, _)| wheel.to_owned())
}

/// The error for a package that has no wheel, and whose source cannot be built.
pub(super) fn not_built(package: &str, platform: &Platform, said: &[String]) -> BuildError {
    let (runtime, cpu) = (&platform.runtime, platform.architecture.cpu());
    let message = format!(
        "cannot install `{package}` for `{runtime}` on `{}`: no wheel is available for {cpu}, and its source cannot be built here",
        platform.architecture
    );
    failed(message, said).hint("use a version that has a wheel, or install what its build needs")
}

impl Refused {
    pub(super) fn package(&self) -> &str {
        match self {
            Refused::WithoutWheel(package)
            | Refused::Unknown(package)
            | Refused::NoVersion(package, _)
            | Refused::NeedsPython(package, _)
            | Refused::NotBuilt(package)
            | Refused::NotFetched(package, _) => package,
        }
    }

    fn error(&self, platform: &Platform) -> BuildError {
        let (runtime, cpu) = (&platform.runtime, platform.architecture.cpu());
        let what = format!("cannot install `{}` for `{runtime}` on `{}`", self.package(), platform.architecture);
        match self {
            Refused::WithoutWheel(_) | Refused::NotBuilt(_) => {
                BuildError::new(format!("{what}: no wheel is available for {cpu}"))
                    .hint("use a version that has one, or another runtime or architecture")
                    .hint("or build its wheel, and add the line `--find-links DIR` to the requirements")
            }
            Refused::NotFetched(package, why) => {
                let why = if why.is_empty() { String::new() } else { format!(": {why}") };
                let address = package.split_once("git+").map_or(&**package, |(_, address)| address);
                BuildError::new(format!("{what}: Git cannot fetch it{why}")).hint(format!(
                    "check your network, and that you can read the repository: `git ls-remote {}`",
                    address::without_credentials(address)
                ))
            }
            Refused::Unknown(_) => BuildError::new(format!("{what}: it was not found in any index"))
                .hint("check its name, and that the index that has it is configured"),
            Refused::NoVersion(package, newest) => {
                let newest = newest.as_ref().map(|newest| format!("; the newest version is {newest}"));
                let message = format!("{what}: no index has that version{}", newest.unwrap_or_default());
                let name = Requirement::parse(package).map_or(package.clone(), |found| found.name);
                BuildError::new(message).hint(format!("require a version of `{name}` that exists"))
            }
            Refused::NeedsPython(_, python) => {
                BuildError::new(format!("{what}: it needs Python {python}")).at(&["runtime"]).hint(format!(
                    "set `runtime` to Python {python}, or require a version that supports {}",
                    runtime.version()
                ))
            }
        }
    }
}

/// Adds a hint if uv is too old for the options that it got.
pub(super) fn of_old_uv(error: BuildError, said: &[String]) -> BuildError {
    let is_old = said.iter().any(|line| UV_TOO_OLD.iter().any(|words| line.contains(words)));
    if is_old { error.hint("update uv to 0.7 or newer: `uv self update`") } else { error }
}

/// Whether uv failed because an index does not have a package.
pub(super) fn is_unknown_to_index(said: &[String]) -> bool {
    said.join(" ").contains(UV_UNKNOWN[0])
}

/// The package that pip or uv could not get, and why. `log` is pip's.
pub(super) fn refused(said: &[String], log: Option<&Log>) -> Option<Refused> {
    if let Some(requirement) = said.iter().find_map(|line| line.split_once(PIP_NONE)).map(|(_, rest)| rest) {
        let requirement = requirement.split([';', '(']).next().unwrap_or_default().trim();
        return Some(of_pip(requirement, said, log)).filter(|_| !requirement.is_empty());
    }
    // uv wraps its lines.
    let text = said
        .iter()
        .map(|line| line.trim().trim_start_matches(['│', '╰', '─', '▶', '×', ' ']))
        .collect::<Vec<_>>()
        .join(" ");
    let is_end = |letter: char| letter.is_whitespace() || ";".contains(letter);
    let whole = |name: &str| Some(name.trim_matches([',', '`'])).filter(|name| !name.is_empty()).map(str::to_owned);
    if let Some((before, after)) = text.split_once(UV_OTHER_PYTHON[0]) {
        let python = after.split(is_end).next().and_then(whole)?;
        let package = after.split_once(UV_OTHER_PYTHON[1]).map_or(before, |(package, _)| package);
        return Some(Refused::NeedsPython(package.rsplit(is_end).next().and_then(whole)?, python));
    }
    if let Some((_, name)) = text.split_once(UV_NO_BUILD).and_then(|(before, _)| before.rsplit_once("Package `")) {
        return name.split('`').next().and_then(whole).map(Refused::WithoutWheel);
    }
    if let Some(why) = git_failure(said) {
        let of_uv = UV_NOT_BUILT.iter().find_map(|words| text.split_once(words)).map(|(_, rest)| rest);
        let of_pip = || text.split_once(PIP_CLONES)?.1.split_whitespace().find(|word| word.contains("://"));
        let package = of_uv.and_then(|rest| rest.split('`').next()).or_else(of_pip);
        return package.map(|package| Refused::NotFetched(package.to_owned(), why));
    }
    if let Some((name, _)) = text.split_once(UV_DYNAMIC[0]).and_then(|(_, rest)| rest.split_once(UV_DYNAMIC[1])) {
        return whole(name).map(Refused::WithoutWheel);
    }
    if let Some((_, rest)) = UV_NOT_BUILT.iter().find_map(|words| text.split_once(words)) {
        return rest.split('`').next().and_then(whole).map(Refused::NotBuilt);
    }
    let before = |words: &[&str]| {
        let at = words.iter().filter_map(|words| text.find(words)).min()?;
        text[..at].trim_end().rsplit(is_end).next().and_then(whole)
    };
    let after = |words: &[&str]| {
        let at = words.iter().filter_map(|words| text.find(words).map(|at| at + words.len())).min()?;
        text[at..].split(is_end).next().and_then(whole)
    };
    before(&UV_NO_WHEEL)
        .map(Refused::WithoutWheel)
        .or_else(|| before(&UV_UNKNOWN).map(Refused::Unknown))
        .or_else(|| after(&UV_NO_VERSION).map(|package| Refused::NoVersion(package, None)))
        .or_else(|| of_available(&text))
}

/// Why Git could not get a repository, if that is what failed.
fn git_failure(said: &[String]) -> Option<String> {
    let failed = said.iter().any(|line| line.contains(UV_GIT_FAILED) || line.contains(PIP_CLONES));
    let why = said.iter().rev().find_map(|line| GIT.iter().find_map(|start| line.split_once(start)));
    failed.then(|| why.map_or("", |(_, why)| why.trim()).to_owned())
}

/// A requirement that no available version fulfils, from uv's "only leaf==1.0 is available and you require leaf>=2" or
/// "only the following versions of leaf are available: leaf==0.9 leaf==1.0 and needy==1.0 depends on leaf>=2".
fn of_available(text: &str) -> Option<Refused> {
    text.match_indices(UV_ONLY).find_map(|(at, words)| {
        let rest = &text[at + words.len()..];
        let (versions, required) = rest.split_once(UV_AND)?;
        let required = required.split(',').next()?.split_whitespace().next_back()?;
        let name = Requirement::parse(required)?.name;
        let is_it = |word: &&str| Requirement::parse(word).is_some_and(|found| found.name == name && *word != name);
        let newest = versions.contains("available").then(|| versions.split_whitespace().rfind(is_it))??;
        let newest = newest.rsplit('=').next().map(str::to_owned);
        Some(Refused::NoVersion(required.to_owned(), newest))
    })
}

fn of_pip(requirement: &str, said: &[String], log: Option<&Log>) -> Refused {
    let package = requirement.to_owned();
    let Some(found) = Requirement::parse(requirement) else { return Refused::WithoutWheel(package) };
    let range = Range::of_specifiers(&found.specifier).unwrap_or_default();
    let others =
        said.iter().filter_map(|line| line.split_once(PIP_OTHER_PYTHON)).flat_map(|(_, rest)| rest.split("; "));
    let mut others = others.filter_map(|pair| pair.split_once(PIP_REQUIRES_PYTHON));
    if let Some((_, python)) = others.find(|(version, _)| range.has_text(version)) {
        return Refused::NeedsPython(package, python.trim().to_owned());
    }
    match log.map(|log| log.versions(&found.name)) {
        Some(versions) if versions.is_empty() => Refused::Unknown(package),
        Some(versions) if !versions.iter().any(|version| range.has(version)) => {
            Refused::NoVersion(package, versions.iter().max().map(ToString::to_string))
        }
        _ => Refused::WithoutWheel(package),
    }
}

/// What requires a package that is not in the list itself.
fn required_by(package: &str, said: &[String]) -> Option<String> {
    let name = Requirement::parse(package).map(|found| found.name)?;
    let of_pip = said.iter().find_map(|line| {
        let (_, from) = line.split_once("satisfies the requirement ")?.1.split_once("(from ")?;
        let from = from.split(')').next()?.split("->").next()?.trim();
        (!from.starts_with("versions:") && !from.starts_with('-')).then(|| from.to_owned())
    });
    let text = said.join(" ");
    let of_uv = || {
        let mut uses = UV_DEPENDS.iter().flat_map(|words| text.match_indices(words));
        let (before, _) = uses.find_map(|(at, words)| {
            let after = text[at + words.len()..].split_whitespace().next()?;
            let is_it = Requirement::parse(after.trim_matches([',', '`'])).is_some_and(|found| found.name == name);
            is_it.then(|| text.split_at(at))
        })?;
        Some(before.split_whitespace().next_back()?.trim_matches([',', '`']).to_owned())
    };
    of_pip.or_else(of_uv)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(said: &[&str], log: Option<&Log>) -> Option<Refused> {
        refused(&said.iter().map(|&line| line.to_owned()).collect::<Vec<_>>(), log)
    }

    #[test]
    fn pip_says_less_than_its_log() {
        let none = [
            "ERROR: Could not find a version that satisfies the requirement quux<10,>=9 (from hdfs) (from versions: none)",
            "ERROR: No matching distribution found for quux<10,>=9",
        ];
        let log = |text: &str| Log::parse(text);
        let named = || "quux<10,>=9".to_owned();
        assert_eq!(of(&none, None), Some(Refused::WithoutWheel(named())));
        assert_eq!(of(&none, Some(&log(""))), Some(Refused::Unknown(named())));
        let source = |version: &str| {
            log(&format!(
                "x Skipping link: No sources permitted for quux: http://h/quux-{version}.tar.gz (from http://h/quux/)\n"
            ))
        };
        assert_eq!(of(&none, Some(&source("9.1"))), Some(Refused::WithoutWheel(named())));
        assert_eq!(of(&none, Some(&source("8.1"))), Some(Refused::NoVersion(named(), Some("8.1".into()))));
        let python = "ERROR: Ignored the following versions that require a different python version: 8 Requires-Python >=3; 9.2 Requires-Python >=3.14";
        assert_eq!(of(&[python, none[1]], Some(&source("9.2"))), Some(Refused::NeedsPython(named(), ">=3.14".into())));
        let said: Vec<String> = none.iter().map(|&line| line.to_owned()).collect();
        assert_eq!(required_by("quux<10,>=9", &said).as_deref(), Some("hdfs"));
    }

    #[test]
    fn uv_names_the_available_versions_instead_of_the_missing_one() {
        for (said, required) in [
            ("Because only leaf==1.0 is available and you require leaf>=2, we can", "leaf>=2"),
            ("Because only leaf<=1.0 is available and you require leaf>=2, we can", "leaf>=2"),
            (
                "Because only the following versions of leaf are available: leaf==0.9 leaf==1.0 and you require leaf>=2, we",
                "leaf>=2",
            ),
            ("Because only leaf==1.0 is available and needy==1.0 depends on leaf>1, we can", "leaf>1"),
        ] {
            assert_eq!(of(&[said], None), Some(Refused::NoVersion(required.into(), Some("1.0".into()))), "{said}");
        }
        // A conflict of two packages is not a missing version.
        assert_eq!(of(&["Because only needy==1.0 is available and needy==1.0 depends on leaf<1, we can"], None), None);
    }

    #[test]
    fn uv_names_what_requires_a_package_by_one_version_or_by_all() {
        for said in [
            "cause: Because nope was not found in the package registry and all versions of needy depend on nope, we can",
            "cause: Because nope was not found in the package registry and needy depends on nope, we can",
        ] {
            assert_eq!(required_by("nope", &[said.to_owned()]).as_deref(), Some("needy"), "{said}");
        }
    }

    #[test]
    fn uv_names_the_package_and_the_reason() {
        let wrapped = [
            "  × No solution found when resolving dependencies:",
            "  ╰─▶ Because quux==9 has no wheels with a matching platform tag (e.g.,",
            "      `manylinux_2_34_x86_64`) and you require quux==9, we can conclude that",
        ];
        assert_eq!(of(&wrapped, None), Some(Refused::WithoutWheel("quux==9".into())));
        let one = |line: &str| of(&[line], None);
        let git = [
            "  × Failed to download and build `own @ git+https://git.example/own`",
            "  ├─▶ Git operation failed",
            "  ╰─▶ process didn't exit successfully: `git fetch` (exit status: 128)",
            "      --- stderr",
            "      fatal: unable to access 'https://git.example/own/': Could not resolve host: git.example",
        ];
        let why = "unable to access 'https://git.example/own/': Could not resolve host: git.example".to_owned();
        let package = "own @ git+https://git.example/own".to_owned();
        assert_eq!(of(&git, None), Some(Refused::NotFetched(package, why.clone())));
        let git = [
            "  fatal: unable to access 'https://git.example/own/': Could not resolve host: git.example",
            "  error: subprocess-exited-with-error",
            "  × git clone --filter=blob:none --quiet https://git.example/own /tmp/x did not run successfully.",
        ];
        assert_eq!(of(&git, None), Some(Refused::NotFetched("https://git.example/own".into(), why)));
        let dynamic = [
            "  × Failed to download and build `own @ file:///app`",
            "  ╰─▶ Building source distributions for `own` is disabled",
        ];
        assert_eq!(of(&dynamic, None), Some(Refused::WithoutWheel("own".into())));
        let all = "  ╰─▶ Because all versions of native have no usable wheels and you require native, we can conclude";
        assert_eq!(one(all), Some(Refused::WithoutWheel("native".into())));
        let none = "Because nope was not found in the package registry and you require nope, we can conclude";
        assert_eq!(one(none), Some(Refused::Unknown("nope".into())));
        let version = "cause: Because there is no version of six==99 and you require six==99, we can conclude";
        assert_eq!(one(version), Some(Refused::NoVersion("six==99".into(), None)));
        let python = "Because the requested Python version (>=3.9) does not satisfy Python>=3.10 and django==5.2 depends on Python>=3.10, we can";
        assert_eq!(one(python), Some(Refused::NeedsPython("django==5.2".into(), ">=3.10".into())));
        assert_eq!(one("error: no route to host"), None);
        let by = ["Because hdfs==2.7 depends on quux==9 and quux==9 has no usable wheels, we can".to_owned()];
        assert_eq!(required_by("quux==9", &by).as_deref(), Some("hdfs==2.7"));
    }
}
