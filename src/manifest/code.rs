//! Where a function's code comes from, and how it is started.

use super::name::{is_name, is_path};
use super::section::{Entry, Section};
use crate::stack::{Family, Runtime};
use crate::text::list;
use globset::Glob;
use std::path::{Path, PathBuf};

/// The sources of code. Each function has exactly one.
const SOURCES: [&str; 3] = ["crate", "web", "package"];
const RUNTIMES: &str = "a runtime of Lambda with its version, such as `python3.13`, `nodejs22.x` or `provided.al2023`";
/// The handler of OS-only runtimes. They ignore it, but Lambda requires one.
pub(super) const BOOTSTRAP: &str = "bootstrap";

/// The source of the code. Paths are relative to the manifest, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeSource {
    /// A crate, built by cargo. Of its directory, only the files that are included are packaged.
    Crate { directory: PathBuf, bin: Option<String>, files: FilePatterns },
    /// A directory with a web app, zipped with its dependencies.
    App { directory: PathBuf, files: FilePatterns, dependencies: Dependencies, slim: bool },
    /// A zip file that was built elsewhere, or a directory to be zipped.
    Package { path: PathBuf, files: FilePatterns },
}

impl CodeSource {
    /// The crate, the app, or the package.
    pub fn path(&self) -> &Path {
        match self {
            CodeSource::Crate { directory, .. } | CodeSource::App { directory, .. } => directory,
            CodeSource::Package { path, .. } => path,
        }
    }
}

/// Which files of a directory are packaged, selected by glob patterns relative to the directory: everything except files
/// that no package should contain; for a crate, nothing but what is included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilePatterns {
    /// Packaged in any case.
    pub include: Vec<String>,
    /// Left out.
    pub exclude: Vec<String>,
}

/// Which third-party packages an app needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependencies {
    /// Those of the lock file or requirements file in the app's directory, if there is one.
    Auto,
    /// None are installed: the directory is used as it is.
    None,
    /// Those of this file, relative to the manifest.
    File(PathBuf),
}

pub(super) fn read_source(keys: &Section<'_>) -> CodeSource {
    let given: Vec<&str> = SOURCES.into_iter().filter(|key| keys.has(key)).collect();
    match given[..] {
        [_] => {}
        [] => keys.missing(
            "`crate`, `web` or `package`",
            "the directory of a crate or of a web app, or a package built elsewhere",
        ),
        _ => keys.problem(format!("{} cannot be used together, expected one of them", list::quoted_and(&given))),
    }
    let path = |key, expected| keys.matching(key, is_path, expected).map(PathBuf::from);
    let crate_dir = path("crate", "the directory of a crate");
    let web = path("web", "the directory of a web app");
    let package = path("package", "a zip file, or a directory to be zipped");
    let bin = keys.entry("bin").and_then(|entry| {
        belongs_to(&entry, keys, &["crate"]);
        entry.matching(is_name, "the name of one of the crate's binaries")
    });
    let files = FilePatterns { include: read_patterns(keys, "include"), exclude: read_patterns(keys, "exclude") };
    let dependencies = read_dependencies(keys);
    let slim = read_slim(keys);
    match (web, package) {
        (Some(directory), _) => CodeSource::App { directory, files, dependencies, slim },
        (None, Some(path)) => CodeSource::Package { path, files },
        (None, None) => CodeSource::Crate {
            directory: crate_dir.unwrap_or_default(),
            bin: bin.map(|bin| bin.into_inner().to_owned()),
            files,
        },
    }
}

/// The runtime and, if nothing else determines it, the handler.
pub(super) fn read_runtime(keys: &Section<'_>) -> (Runtime, Option<String>) {
    if keys.has("web") && !keys.has("runtime") {
        keys.missing("`runtime`", RUNTIMES);
    }
    let runtime = keys.entry("runtime").and_then(|entry| {
        belongs_to(&entry, keys, &["web", "package"]);
        let name = entry.matching(|text| Runtime::parse(text).is_some(), RUNTIMES)?;
        Runtime::parse(name.get_ref())
    });
    let handler = keys.entry("handler").and_then(|entry| {
        belongs_to(&entry, keys, &["package"]);
        if keys.has("run") {
            entry.problem_with_name("`handler` and `run` cannot be used together: `run` starts a web app");
        }
        entry.matching(
            is_handler,
            "what the runtime calls, such as `main.handler`, at most 128 characters without spaces",
        )
    });
    let is_provided = runtime.as_ref().is_none_or(|runtime| runtime.family() == Family::Provided);
    if keys.has("package") && !is_provided && handler.is_none() && !keys.has("run") && !keys.has("handler") {
        keys.missing("`handler`", "what the runtime calls, such as `main.handler`; or `run`, what starts a web app");
    }
    (runtime.unwrap_or_else(Runtime::provided), handler.map(|handler| handler.into_inner().to_owned()))
}

/// Reports a key that fits none of the sources.
pub(super) fn belongs_to(entry: &Entry<'_>, keys: &Section<'_>, sources: &[&str]) {
    let given = SOURCES.into_iter().find(|key| keys.has(key));
    if let Some(given) = given.filter(|given| !sources.contains(given)) {
        let name = entry.name;
        entry.problem_with_name(format!(
            "`{name}` can be used only with {}, but this function has `{given}`",
            list::quoted_or(sources)
        ));
    }
}

fn read_patterns(keys: &Section<'_>, key: &'static str) -> Vec<String> {
    const EXPECTED: &str = "patterns such as `static/**` or `*.md`, relative to the directory";
    let Some(entry) = keys.entry(key) else { return Vec::new() };
    if key == "exclude" && keys.has("crate") && !keys.has("include") {
        entry.problem_with_name(
            "`exclude` requires `include`: a crate's package has only the binary and what `include` names",
        );
    }
    let patterns = entry.strings(EXPECTED);
    for pattern in &patterns {
        let text = *pattern.get_ref();
        if text.is_empty() || text.starts_with('/') || text.split('/').any(|part| part == "..") {
            entry.problem_at(pattern.span(), format!("`{key}` contains `{text}`, expected {EXPECTED}"));
        } else if key == "include" && text.split('/').all(|part| part == "*" || part == "**") {
            let message = format!("`include` contains `{text}`, which is too broad: name the files to add");
            entry.problem_at(pattern.span(), message);
        } else if let Err(error) = Glob::new(text) {
            entry.problem_at(
                pattern.span(),
                format!("`{key}` contains `{text}`: {}, expected {EXPECTED}", error.kind()),
            );
        }
    }
    patterns.into_iter().map(|pattern| pattern.into_inner().to_owned()).collect()
}

fn read_dependencies(keys: &Section<'_>) -> Dependencies {
    const EXPECTED: &str = "`auto`, `none`, or a file such as `requirements.txt`, `uv.lock`, `poetry.lock`, \
                            `pdm.lock`, `pylock.toml`, `Pipfile.lock`, `pyproject.toml` or `package.json`";
    let Some(entry) = keys.entry("dependencies") else { return Dependencies::Auto };
    belongs_to(&entry, keys, &["web"]);
    match entry.matching(is_path, EXPECTED).map(|text| text.into_inner()) {
        None | Some("auto") => Dependencies::Auto,
        Some("none") => Dependencies::None,
        Some(file) => Dependencies::File(file.into()),
    }
}

fn read_slim(keys: &Section<'_>) -> bool {
    let slim = keys.switch("slim");
    if let Some(entry) = keys.entry("slim").filter(|_| slim) {
        belongs_to(&entry, keys, &["web"]);
        let runtime = keys.entry("runtime").and_then(|entry| Runtime::parse(entry.text()?));
        if runtime.is_some_and(|runtime| runtime.family() != Family::Python) {
            entry.problem_with_name("`slim` requires a runtime of Python");
        }
    }
    slim
}

fn is_handler(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}
