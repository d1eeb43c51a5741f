//! Packages of Python, installed for the target's version and processor: by uv where it is there, else by pip.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::interpreter::{Interpreter, minor};
use super::tool::{self, Tell, failed, find};
use super::{poetry, requirements, tidy};
use crate::build::error::BuildError;
use crate::stack::{Architecture, Platform};

/// Changes when the same list would be installed in another way.
const WAY: &str = "2";

/// Which packages are to be installed.
pub struct List {
    /// The file that says so.
    file: PathBuf,
    /// Requirements, a line each, as pip reads them; `None` for the file itself.
    lines: Option<String>,
    /// Whether the list is everything that is needed, and not only where to begin.
    complete: bool,
}

impl List {
    /// What a file lists; `None` where that is nothing.
    pub async fn read(file: &Path) -> Result<Option<List>, BuildError> {
        let of = |lines: Option<String>, complete| List { file: file.to_owned(), lines, complete };
        let list = match file.file_name().and_then(|name| name.to_str()) {
            Some("uv.lock") => {
                let lines = exported(file).await?;
                requirements::refuse_directories(file, &lines)?;
                of(Some(lines), true)
            }
            Some("poetry.lock") => of(Some(poetry::requirements(file)?), true),
            Some("pyproject.toml") => of(Some(poetry::of_project(file)?), false),
            _ => of(None, false),
        };
        let text = list.text()?;
        let empty = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        Ok((!empty).then_some(list))
    }

    fn text(&self) -> Result<String, BuildError> {
        self.lines.clone().map_or_else(|| tool::text(&self.file), Ok)
    }

    fn directory(&self) -> PathBuf {
        let directory = self.file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        directory.to_owned()
    }
}

/// Installs a list for a platform, once.
pub async fn install(
    list: &List,
    platform: &Platform,
    cache: &Path,
    tell: Tell<'_>,
    notes: &mut Vec<String>,
) -> Result<PathBuf, BuildError> {
    let installer = Installer::find(platform, notes)?;
    let content = requirements::content(&list.file, &list.text()?, &list.directory())?;
    // What comes out of directories is installed anew each time.
    let unique = content.is_none().then(|| format!("{:?}", std::time::SystemTime::now()));
    let (of, runtime, architecture) =
        (content.or(unique).unwrap_or_default(), &platform.runtime, platform.architecture);
    let digest =
        Sha256::digest(format!("{WAY}\n{runtime}\n{architecture}\n{}\n{}\n{of}", installer.name(), list.complete));
    let key: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    tool::cached(&cache.join("python"), &format!("{runtime}-{architecture}-{key}"), async |place| {
        let lines = place.join("requirements.lamstream.txt");
        let file = match &list.lines {
            Some(text) => {
                std::fs::write(&lines, text).map_err(|error| unwritable(&lines, &error))?;
                lines.clone()
            }
            None => std::path::absolute(&list.file).unwrap_or_else(|_| list.file.clone()),
        };
        let mut command = installer.command(platform, place);
        command.arg("-r").arg(&file).current_dir(list.directory());
        if list.complete {
            command.arg("--no-deps");
        }
        tool::run(command, tell).await.map_err(|said| not_installed(list, platform, &said))?;
        let _ = std::fs::remove_file(&lines);
        tidy::tidy(place).map_err(|error| unwritable(place, &error))
    })
    .await
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

    /// The command that installs into `place`, to which the list is still to be added. Nothing is compiled: a build for
    /// this machine would not run on another.
    fn command(&self, platform: &Platform, place: &Path) -> Command {
        let (version, glibc) = (platform.runtime.version(), platform.runtime.glibc());
        let cpu = cpu(platform.architecture);
        let mut command;
        match self {
            Installer::Uv(program) => {
                command = Command::new(program);
                // What is older than 2.28 goes by the name of its standard.
                let standard = if glibc < (2, 28) { "2014".to_owned() } else { format!("_{}_{}", glibc.0, glibc.1) };
                command.args(["pip", "install", "--no-progress", "--only-binary", ":all:", "--link-mode", "copy"]);
                command.args(["--python-version", version, "--python-platform", &format!("{cpu}-manylinux{standard}")]);
                command.env("UV_PYTHON_DOWNLOADS", "never").env("UV_COMPILE_BYTECODE", "0");
            }
            Installer::Pip(python) => {
                command = Command::new(python);
                command.args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--only-binary",
                    ":all:",
                    "--no-compile",
                    "--no-input",
                ]);
                command.args(["--disable-pip-version-check", "--implementation", "cp", "--python-version", version]);
                // Pip takes each of these names literally, and knows of no order among them.
                for minor in (17..=glibc.1).rev() {
                    command.args(["--platform", &format!("manylinux_2_{minor}_{cpu}")]);
                }
                command.args(["--platform", &format!("manylinux2014_{cpu}"), "--platform", &format!("linux_{cpu}")]);
                command.env("PIP_REQUIRE_VIRTUALENV", "0").env("PIP_USER", "0").env("PIP_ROOT_USER_ACTION", "ignore");
            }
        }
        command.arg("--target").arg(place);
        command
    }
}

fn cpu(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Arm64 => "aarch64",
    }
}

/// What uv has locked, without what only development needs.
async fn exported(lock: &Path) -> Result<String, BuildError> {
    let message = format!("cannot read `{}`", lock.display());
    let Some(uv) = find("uv") else {
        let error = BuildError::new(format!("{message}: only uv can, and there is none here"));
        return Err(error
            .hint("install it: https://docs.astral.sh/uv/, or export the list once: `uv export -o requirements.txt`"));
    };
    let mut command = Command::new(uv);
    command.args(["export", "--frozen", "--no-dev", "--no-emit-project", "--no-header", "--no-annotate"]);
    command.args(["--format", "requirements-txt"]).current_dir(lock.parent().unwrap_or(Path::new(".")));
    tool::output(command).await.map_err(|said| failed(message, &said))
}

fn not_installed(list: &List, platform: &Platform, said: &[String]) -> BuildError {
    let (file, runtime, architecture) = (list.file.display(), &platform.runtime, platform.architecture);
    let what = |package: &str| format!("cannot install `{package}` for `{runtime}` on `{architecture}`");
    match refused(said) {
        Some(Refused::WithoutWheel(package)) => failed(format!("{}: it has no wheel for that", what(&package)), said)
            .hint("take a version that has one, or another runtime or architecture")
            .hint("or build its wheel, and name the directory in a line `--find-links DIR` of the requirements"),
        Some(Refused::Unknown(package)) => failed(format!("{}: no index has it", what(&package)), said)
            .hint("see whether its name is right, and whether the index that has it is named"),
        None => failed(format!("cannot install what `{file}` lists for `{runtime}` on `{architecture}`"), said),
    }
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
