//! The configuration of cargo-lambda: `[package.metadata.lambda]` and `[workspace.metadata.lambda]` of Cargo.toml, and
//! CargoLambda.toml. Written after the source of cargo-lambda 1.9.2.
//!
//! Each binary becomes a function. `settings` finds its settings as cargo-lambda does: CargoLambda.toml, then the
//! workspace's, then the package's; `bin.NAME` has those of one binary. `deploy`, `build` and `environment` take the
//! settings that they know. A context of CargoLambda.toml becomes a stage.

mod build;
mod deploy;
mod environment;
mod settings;
mod writer;

use crate::draft::{Draft, Entry, LeftOver};
use crate::imported::{Imported, heading};
use crate::input::Options;
use crate::node::Invalid;
use crate::{check, name, render, stage};
use settings::{Settings, Source};
use toml_edit::Document;
use writer::Writer;

/// The tables of cargo-lambda. Others in CargoLambda.toml are contexts.
const SECTIONS: [&str; 4] = ["env", "build", "deploy", "watch"];
/// Settings of every context, below and above its own.
const COMMON: [&str; 2] = ["default", "global"];
const RUNTIMES: [&str; 2] = ["lambda_runtime", "lambda_http"];
const EXTENSION: &str = "lambda-extension";
const COMMAND: &str = "`lamstream import cargo-lambda`";

/// A workspace, which may have a single package.
#[derive(Clone, Debug)]
pub struct Workspace {
    pub packages: Vec<Package>,
    /// The text of its `Cargo.toml`.
    pub manifest: String,
    /// The name and the text of `CargoLambda.toml`.
    pub config: Option<(String, String)>,
}

/// A package, as cargo sees it.
#[derive(Clone, Debug, Default)]
pub struct Package {
    pub name: String,
    /// From the workspace's directory; empty if they are the same.
    pub directory: String,
    /// The same from the manifest's directory.
    pub path: String,
    /// The text of its `Cargo.toml`.
    pub manifest: String,
    pub binaries: Vec<Binary>,
    /// All of its features.
    pub features: Vec<String>,
    /// The names of the packages that it depends on.
    pub dependencies: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Binary {
    pub name: String,
    /// Features that it requires and that are not among the defaults.
    pub missing_features: Vec<String>,
}

/// A file as TOML.
struct Parsed {
    file: String,
    text: String,
    document: Document<String>,
}

struct Project<'a> {
    workspace: &'a Workspace,
    root: Parsed,
    config: Option<Parsed>,
    /// In the order of the packages.
    packages: Vec<Parsed>,
}

/// Imports the binaries of a workspace.
///
/// # Errors
/// If a file is not valid TOML, or no binary can become a function.
pub fn cargo_lambda(workspace: &Workspace, options: Options<'_>) -> Result<Imported, Invalid> {
    let project = Project {
        workspace,
        root: parsed("Cargo.toml", &workspace.manifest)?,
        config: workspace.config.as_ref().map(|(name, text)| parsed(name, text)).transpose()?,
        packages: workspace
            .packages
            .iter()
            .map(|package| parsed(&package.file(), &package.manifest))
            .collect::<Result<_, _>>()?,
    };
    let mut draft = project.draft(None, &options);
    if !draft.has_functions() {
        return Err(project.without_functions(&draft));
    }
    for context in project.contexts() {
        let other = project.draft(Some(&context), &options);
        let file = project.config.as_ref().map_or("CargoLambda.toml", |config| config.file.as_str());
        stage::add(&mut draft, &name::clean(&context), &other, file);
    }
    let place = |function: Option<&str>| {
        (project.file_of(function), 1, function.map(|function| format!("functions.{function}")))
    };
    check::disable_rejected(&mut draft, &place, options.rules);
    let mut left_over: Vec<LeftOver> = draft.left_over().cloned().collect();
    left_over.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    let sources = if workspace.config.is_some() { "Cargo.toml and CargoLambda.toml" } else { "Cargo.toml" };
    let heading = heading(COMMAND, sources, "a file's name", left_over.len(), options.rules);
    Ok(Imported { manifest: render::render(&heading, &draft, options.rules), left_over })
}

fn parsed(file: &str, text: &str) -> Result<Parsed, Invalid> {
    let document = Document::parse(text.to_owned()).map_err(|error| {
        let place = error.span().map(|span| {
            let before = &text[..span.start.min(text.len())];
            (settings::line(text, span.start), before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1)
        });
        Invalid::new(file, place, format!("not valid TOML: {}", error.message().lines().next().unwrap_or_default()))
    })?;
    Ok(Parsed { file: file.to_owned(), text: text.to_owned(), document })
}

impl Parsed {
    fn source(&self) -> Source<'_> {
        Source { file: &self.file, text: &self.text, document: &self.document }
    }

    fn has(&self, path: &[&str]) -> bool {
        settings::find(&self.document, path).is_some()
    }
}

impl Package {
    fn file(&self) -> String {
        if self.directory.is_empty() { "Cargo.toml".to_owned() } else { format!("{}/Cargo.toml", self.directory) }
    }

    fn uses(&self, dependencies: &[&str]) -> bool {
        self.dependencies.iter().any(|name| dependencies.contains(&name.as_str()))
    }
}

impl Project<'_> {
    /// What is deployed in a context; `None` is cargo-lambda without `--context`.
    fn draft(&self, context: Option<&str>, options: &Options<'_>) -> Draft {
        let mut draft = Draft::default();
        let mut writer = Writer { draft: &mut draft, options, table: Vec::new() };
        writer.key("app", app(options.app));
        if let Some(region) = options.region {
            writer.key("region", region);
        }
        for (package, parsed) in self.workspace.packages.iter().zip(&self.packages) {
            for binary in &package.binaries {
                if self.is_function(package, parsed) {
                    self.function(&mut draft, options, context, (package, parsed, binary));
                } else if context.is_none() {
                    let text = format!(
                        "The binary `{}` of `{}` is left out: it does not use {}.",
                        binary.name,
                        package.name,
                        RUNTIMES.map(|name| format!("`{name}`")).join(" or ")
                    );
                    draft.push(&[], Entry::Comment(text));
                }
            }
        }
        draft
    }

    /// Whether the binaries of a package are functions: one that says nothing about Lambda is not, if another does.
    fn is_function(&self, package: &Package, parsed: &Parsed) -> bool {
        let is_plain = |package: &Package, parsed: &Parsed| {
            !package.uses(&RUNTIMES) && !package.uses(&[EXTENSION]) && !parsed.has(&["package", "metadata", "lambda"])
        };
        !is_plain(package, parsed)
            || self.workspace.packages.iter().zip(&self.packages).all(|(package, parsed)| is_plain(package, parsed))
    }

    fn function(
        &self,
        draft: &mut Draft,
        options: &Options<'_>,
        context: Option<&str>,
        (package, parsed, binary): (&Package, &Parsed, &Binary),
    ) {
        let mut settings = self.settings(context, parsed, &binary.name);
        let extension = ["build", "deploy"].map(|section| settings.take(section, "extension"));
        let is_extension = extension.iter().flatten().any(|setting| setting.is_true());
        if is_extension || (package.uses(&[EXTENSION]) && !package.uses(&RUNTIMES)) {
            if context.is_none() {
                draft.push(&[], Entry::LeftOver(extension_left(package, binary)));
            }
            return;
        }
        let given = settings.take("deploy", "name");
        let other = settings.take("deploy", "binary_name").and_then(|setting| setting.text());
        let bin = other.filter(|name| package.binaries.iter().any(|binary| binary.name == *name));
        let bin = bin.unwrap_or_else(|| binary.name.clone());
        let is_only = package.binaries.len() == 1;
        let wanted = given.as_ref().filter(|_| is_only).and_then(|setting| setting.text());
        let name = name::clean(wanted.as_deref().unwrap_or(&binary.name));
        let is_taken = |item: &crate::draft::Item| {
            item.table.first().is_some_and(|first| first == "functions")
                && item.table.get(1).is_some_and(|known| known.eq_ignore_ascii_case(&name))
        };
        if draft.items.iter().any(is_taken) {
            draft.push(&[], Entry::LeftOver(twice(package, binary, &name)));
            return;
        }
        let mut writer = Writer { draft, options, table: vec!["functions".to_owned(), name] };
        writer.key("crate", if package.path.is_empty() { "." } else { package.path.as_str() });
        if !is_only {
            writer.key("bin", bin);
        }
        if let Some(setting) = settings.take("deploy", "binary_path") {
            let what = "lamstream builds the binary itself";
            writer.left(setting.left(what, "replace `crate` with `package`, a zip or a directory with it", true));
        }
        build::read(&mut writer, &mut settings, package, &binary.missing_features);
        deploy::read(&mut writer, &mut settings);
        environment::read(&mut writer, &mut settings);
        report_rest(&mut writer, settings);
    }

    /// The settings of `cargo lambda deploy BINARY`, the strongest last.
    fn settings(&self, context: Option<&str>, parsed: &Parsed, binary: &str) -> Settings {
        let mut settings = Settings::default();
        if let Some(config) = &self.config {
            match context {
                None => SECTIONS.iter().for_each(|section| settings.add_section(&config.source(), &[*section])),
                Some(context) => {
                    let [below, above] = COMMON;
                    [below, context, above].iter().for_each(|name| settings.add(&config.source(), &[*name]));
                }
            }
        }
        let workspace = ["workspace", "metadata", "lambda"];
        settings.add(&self.root.source(), &workspace);
        settings.add(&self.root.source(), &[&workspace[..], &["bin", binary]].concat());
        // A binary's own table replaces that of its package.
        let package = ["package", "metadata", "lambda"];
        let own = [&package[..], &["bin", binary]].concat();
        settings.add(&parsed.source(), if parsed.has(&own) { &own[..] } else { &package[..] });
        settings
    }

    /// The contexts of CargoLambda.toml.
    fn contexts(&self) -> Vec<String> {
        let Some(config) = &self.config else { return Vec::new() };
        let tables = config.document.as_table().iter().filter(|(_, item)| item.is_table_like());
        let names = tables.map(|(name, _)| name).filter(|name| !SECTIONS.contains(name) && !COMMON.contains(name));
        names.map(str::to_owned).collect()
    }

    fn file_of(&self, function: Option<&str>) -> String {
        let has = |package: &&Package| {
            package.binaries.iter().any(|binary| function == Some(name::clean(&binary.name).as_str()))
        };
        self.workspace.packages.iter().find(has).map_or_else(|| self.root.file.clone(), Package::file)
    }

    fn without_functions(&self, draft: &Draft) -> Invalid {
        let message = "it has no binary that can become a function";
        let invalid = Invalid::new(&self.root.file, None, message);
        let invalid = draft
            .left_over()
            .fold(invalid, |invalid, left| invalid.hint(format!("`{}`: {}; {}", left.path, left.what, left.advice)));
        if invalid.hints.is_empty() {
            return invalid
                .hint("name the directory of a crate with a `src/main.rs`: `lamstream import cargo-lambda DIR`");
        }
        invalid
    }
}

/// What cargo-lambda reads and lamstream does not need becomes a comment; what neither knows is left over.
fn report_rest(writer: &mut Writer<'_>, mut settings: Settings) {
    let mut paths = build::not_needed(&mut settings);
    paths.extend(deploy::not_needed(&mut settings));
    paths.extend(settings.take_all("watch").into_iter().map(|(_, setting)| setting.path));
    if !paths.is_empty() {
        let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
        writer.comment(format!("Not needed by lamstream: {}.", paths.join(", ")));
    }
    for setting in settings.rest() {
        let what = "cargo-lambda 1.9.2 does not read this key";
        writer.left(setting.left(what, "check its spelling, and set what you mean here", false));
    }
}

fn extension_left(package: &Package, binary: &Binary) -> LeftOver {
    LeftOver {
        file: package.file(),
        line: 1,
        path: binary.name.clone(),
        what: "it is a Lambda extension, and lamstream deploys functions".to_owned(),
        advice: "deploy it with cargo lambda, and name the version of its layer in `layers`".to_owned(),
        blocks: false,
    }
}

fn twice(package: &Package, binary: &Binary, name: &str) -> LeftOver {
    LeftOver {
        file: package.file(),
        line: 1,
        path: binary.name.clone(),
        what: format!("another function is called `{name}`"),
        advice: "give one of the two binaries another name".to_owned(),
        blocks: true,
    }
}

/// A name for the app that leaves room for a function's.
fn app(name: &str) -> String {
    let name: String = name::clean(name).trim_matches('-').chars().take(40).collect();
    if name.is_empty() { "app".to_owned() } else { name }
}
