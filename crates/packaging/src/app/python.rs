//! Packages of Python, installed for the target's version and processor: by uv where it is there, else by pip.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::elsewhere;
use super::installed::Installed;
use super::interpreter::{Interpreter, minor};
use super::list::List;
use super::machine::Machine;
use super::project::Project;
use super::tool::{self, Tell, failed, find};
use super::{pip, tidy, uv};
use crate::error::BuildError;
use crate::{Architecture, Platform};

/// Changes when the same list would be installed in another way.
const WAY: &str = "3";

/// Installs a list for a platform, once.
pub async fn install(
    list: &List,
    platform: &Platform,
    cache: &Path,
    tell: Tell<'_>,
    notes: &mut Vec<String>,
) -> Result<PathBuf, BuildError> {
    let installer = Installer::find(platform, notes)?;
    let content = list.key()?;
    let machine = Machine::of(&list.directory)?;
    // What comes out of directories is installed anew each time.
    let unique = content.is_none().then(|| format!("{:?}", std::time::SystemTime::now()));
    let (of, runtime, architecture) =
        (content.or(unique).unwrap_or_default(), &platform.runtime, platform.architecture);
    // The same list comes from elsewhere where the machine names another index.
    let settings = match &installer {
        Installer::Uv(_) => machine.key(),
        Installer::Pip(program) => format!("{}\n{:?}", machine.key(), pip::settings(program).await),
    };
    let digest = Sha256::digest(format!("{WAY}\n{runtime}\n{architecture}\n{}\n{settings}\n{of}", installer.name()));
    let key: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    tool::cached(&cache.join("python"), &format!("{runtime}-{architecture}-{key}"), async |place| {
        match &installer {
            Installer::Uv(program) => uv::install(program, list, &machine, platform, place, tell).await?,
            Installer::Pip(program) => pip::install(program, list, &machine, platform, place, tell).await?,
        }
        for package in Installed::read(place).iter().filter(|package| package.is_built) {
            refuse_tags(&package.name, &package.tags, platform, "its source")?;
        }
        tidy::tidy(place).map_err(|error| unwritable(place, &error))
    })
    .await
}

/// Refuses what was built on this machine and holds machine code that the target may not be able to load.
///
/// # Errors
/// With the package, and where it was built from.
pub fn refuse_compiled(name: &str, wheel: &Path, platform: &Platform, source: &str) -> Result<(), BuildError> {
    let file = wheel.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let tags: Vec<&str> = file.rsplitn(4, '-').take(3).collect();
    let tag = tags.iter().rev().copied().collect::<Vec<_>>().join("-");
    refuse_tags(name, &[tag], platform, source)
}

fn refuse_tags(name: &str, tags: &[String], platform: &Platform, source: &str) -> Result<(), BuildError> {
    let (runtime, architecture) = (&platform.runtime, platform.architecture);
    let python = format!("cp{}", runtime.version().replace('.', ""));
    let fits = |tag: &String| {
        let parts: Vec<&str> = tag.split('-').collect();
        let [of, abi, machine] = parts[..] else { return true };
        let is_of_python = abi == "none" || abi == "abi3" || of.split('.').any(|of| of == python);
        machine == "any" || (is_of_python && machine.ends_with(cpu(architecture)))
    };
    if tags.is_empty() || tags.iter().any(fits) {
        return Ok(());
    }
    let message =
        format!("cannot install `{name}` for `{runtime}` on `{architecture}`: it was compiled for this machine");
    Err(BuildError::new(message)
        .because(format!("its wheel is for `{}`, built from {source}", tags.join("`, `")))
        .hint("build its wheel for the target elsewhere, and list the file: `vendor/NAME.whl`"))
}

/// Refuses what a directory takes from an index of its own in a way that does not reach what is built from it.
///
/// # Errors
/// With the package, and where it is declared.
pub fn refuse_lost_sources(directories: &[PathBuf], from_indexes: &[String], list: &Path) -> Result<(), BuildError> {
    for directory in directories {
        let Some(project) = Project::of(directory)? else { continue };
        let names = from_indexes.iter().map(|name| (&**name, list));
        elsewhere::refuse_from_default(names, &elsewhere::of_dependency(&project), None)?;
    }
    Ok(())
}

/// What installs.
enum Installer {
    Uv(PathBuf),
    /// A Python that has pip.
    Pip(PathBuf),
}

impl Installer {
    fn find(platform: &Platform, notes: &mut Vec<String>) -> Result<Installer, BuildError> {
        if let Some(uv) = find("uv") {
            return Ok(Installer::Uv(uv));
        }
        let runtime = &platform.runtime;
        let wanted = minor(runtime.version()).unwrap_or_default();
        let Some(python) = Interpreter::nearest(wanted) else {
            let error = BuildError::new(format!(
                "cannot install packages for `{runtime}`: there is neither uv nor python3 here"
            ));
            return Err(error.hint("install uv: https://docs.astral.sh/uv/"));
        };
        if python.minor != wanted {
            notes.push(format!(
                "pip of Python 3.{} installs for `{runtime}`: it decides by its own version which packages a condition \
                 such as `python_version < \"3.11\"` asks for; uv does not have that limit",
                python.minor
            ));
        }
        Ok(Installer::Pip(python.program))
    }

    fn name(&self) -> &'static str {
        match self {
            Installer::Uv(_) => "uv",
            Installer::Pip(_) => "pip",
        }
    }
}

/// As wheels name it.
pub fn cpu(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Arm64 => "aarch64",
    }
}

pub fn not_installed(list: &List, platform: &Platform, said: &[String]) -> BuildError {
    let (file, runtime, architecture) = (list.file.display(), &platform.runtime, platform.architecture);
    let what = |package: &str| format!("cannot install `{package}` for `{runtime}` on `{architecture}`");
    let error = match refused(said) {
        Some(Refused::WithoutWheel(package)) => failed(format!("{}: it has no wheel for that", what(&package)), said)
            .hint("take a version that has one, or another runtime or architecture")
            .hint("or build its wheel, and name the directory in a line `--find-links DIR` of the requirements"),
        Some(Refused::Unknown(package)) => failed(format!("{}: no index has it", what(&package)), said)
            .hint("see whether its name is right, and whether the index that has it is named"),
        None => failed(format!("cannot install what `{file}` lists for `{runtime}` on `{architecture}`"), said),
    };
    list.hints.iter().fold(error, BuildError::hint)
}

/// Why a package is not installed.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    WithoutWheel(String),
    Unknown(String),
}

/// The package that cannot be had, in the words of pip or of uv.
fn refused(said: &[String]) -> Option<Refused> {
    // Uv breaks its lines where it likes.
    let text = said
        .iter()
        .map(|line| line.trim().trim_start_matches(['│', '╰', '─', '▶', '×', ' ']))
        .collect::<Vec<_>>()
        .join(" ");
    let is_end = |letter: char| letter.is_whitespace() || ",;".contains(letter);
    let whole = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
    if let Some((_, rest)) = text.split_once("No matching distribution found for ") {
        // Pip says the same of what there is no package of.
        return rest.split(is_end).next().and_then(whole).map(Refused::WithoutWheel);
    }
    if let Some((_, name)) =
        text.split_once("marked as `--no-build`").and_then(|(before, _)| before.rsplit_once("Package `"))
    {
        return name.split('`').next().and_then(whole).map(Refused::WithoutWheel);
    }
    let before = |words: &[&str]| {
        let at = words.iter().filter_map(|words| text.find(words)).min()?;
        text[..at].trim_end().rsplit(is_end).next().and_then(whole)
    };
    const WHEELLESS: [&str; 6] = [
        "has no wheels",
        "has no usable wheels",
        "has no matching wheels",
        "have no wheels",
        "have no usable wheels",
        "have no matching wheels",
    ];
    let unknown = ["was not found in the package registry", "was not found in the provided package locations"];
    before(&WHEELLESS).map(Refused::WithoutWheel).or_else(|| before(&unknown).map(Refused::Unknown))
}

fn unwritable(place: &Path, error: &std::io::Error) -> BuildError {
    BuildError::new(format!("cannot write `{}`", place.display())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_wheel_is_named() {
        let pip = [
            "ERROR: Could not find a version that satisfies the requirement quux==9 (from versions: none)",
            "ERROR: No matching distribution found for quux==9",
        ];
        let uv = [
            "  × No solution found when resolving dependencies:",
            "  ╰─▶ Because quux==9 has no wheels with a matching platform tag (e.g.,",
            "      `manylinux_2_34_x86_64`) and you require quux==9, we can conclude that",
        ];
        for said in [pip.to_vec(), uv.to_vec()] {
            let said: Vec<String> = said.into_iter().map(str::to_owned).collect();
            assert_eq!(refused(&said), Some(Refused::WithoutWheel("quux==9".into())));
        }
        let uv = |line: &str| refused(&[line.to_owned()]);
        let all = "  ╰─▶ Because all versions of native have no usable wheels and you require native, we can conclude";
        assert_eq!(uv(all), Some(Refused::WithoutWheel("native".into())));
        let none = "Because nope was not found in the package registry and you require nope, we can conclude";
        assert_eq!(uv(none), Some(Refused::Unknown("nope".into())));
        assert_eq!(uv("error: no route to host"), None);
    }
}
