//! How a package is started: by its script, its `main`, or the file that listens.

use super::module::Module;
use super::package::Package;
use super::port;
use crate::init::tree::{depth, is_aside, join, relative, resolved, split};

/// Programs that run TypeScript or watch files.
const RUNNERS: [&str; 8] = ["tsx", "ts-node", "ts-node-dev", "tsnd", "nodemon", "swc-node", "esno", "jiti"];
const USUAL: [&str; 12] = [
    "server.js",
    "index.js",
    "app.js",
    "main.js",
    "server.mjs",
    "index.mjs",
    "src/server.js",
    "src/index.js",
    "src/app.js",
    "src/main.js",
    "index.cjs",
    "server.cjs",
];
/// Notes name this many files at most.
const NAMED: usize = 5;
const BUNDLE: &str = "--bundle --packages=external --platform=node --format=esm --outfile=dist/server.mjs";

#[derive(Clone, Debug, Default)]
pub(super) struct Start {
    pub run: String,
    /// The directory to package, below the app's.
    pub packaged: String,
    pub build: Option<String>,
    pub dependencies: Option<String>,
    /// The file that is started, or the source that it is made of.
    pub entry: Option<String>,
    /// Whether the framework reads `PORT`.
    pub reads_port: bool,
    pub notes: Vec<String>,
}

/// By the scripts `start:prod` and `start`, `main`, or the files.
pub(super) fn start(package: &Package, modules: &[Module]) -> Option<Start> {
    let scripts = ["start:prod", "start:production", "serve:prod", "start"].into_iter();
    let by_script = scripts.filter_map(|name| Some((name, package.script(name)?)));
    let by_script = by_script.map(|(name, script)| of_script(package, modules, name, script)).next();
    by_script.or_else(|| by_file(package, modules))
}

fn of_script(package: &Package, modules: &[Module], name: &str, script: &str) -> Start {
    let words: Vec<&str> = script.split_whitespace().collect();
    let is_plain = !script.contains(['&', '|', ';', '>', '(', '$']);
    let is_variable = |word: &&&str| word.contains('=') || **word == "cross-env";
    let rest: Vec<&str> = words.iter().skip_while(is_variable).copied().collect();
    let file = rest.iter().skip(1).find(|word| !word.starts_with('-')).copied();
    match rest.first().copied() {
        Some("node") if is_plain => {
            let file = file.map_or_else(
                || package.main().unwrap_or("index.js"),
                |file| if file == "." { package.main().unwrap_or("index.js") } else { file },
            );
            let run = words.iter().filter(|word| **word != "cross-env").copied().collect::<Vec<_>>().join(" ");
            of_file(package, modules, file, Some(run))
        }
        Some(runner) if is_plain && RUNNERS.contains(&runner) && file.is_some() && !package.needs(runner) => {
            of_file(package, modules, file.unwrap_or_default(), None)
        }
        _ => {
            let has_build = package.script("build").is_some();
            let run = if name == "start" { "npm start".to_owned() } else { format!("npm run {name}") };
            Start { run, build: has_build.then(|| package.build(&["build"])), ..Start::default() }
        }
    }
}

/// Starts a file that is there, or that the script `build` makes; TypeScript is bundled.
fn of_file(package: &Package, modules: &[Module], file: &str, run: Option<String>) -> Start {
    let here = found(package, modules, file);
    let source = here.or_else(|| origin(package, modules, file));
    let entry = source.map(|module| module.path.clone());
    let is_script = |path: &str| path.ends_with(".ts") || path.ends_with(".mts") || path.ends_with(".tsx");
    if here.is_none() && package.script("build").is_some() {
        let run = run.unwrap_or_else(|| format!("node {file}"));
        return Start { run, build: Some(package.build(&["build"])), entry, ..Start::default() };
    }
    match here.filter(|module| is_script(&module.path)) {
        Some(module) => bundled(package, relative(&module.path, &package.directory).unwrap_or(file), entry),
        None => Start { run: run.unwrap_or_else(|| format!("node {file}")), entry, ..Start::default() },
    }
}

/// TypeScript that no script compiles.
fn bundled(package: &Package, file: &str, entry: Option<String>) -> Start {
    let build = format!("{} && npx --yes esbuild {file} {BUNDLE}", package.tool.install());
    Start { run: "node dist/server.mjs".to_owned(), build: Some(build), entry, ..Start::default() }
}

fn by_file(package: &Package, modules: &[Module]) -> Option<Start> {
    let main = package.main().filter(|main| found(package, modules, main).is_some_and(port::is_server));
    let usual = USUAL.iter().copied().find(|name| found(package, modules, name).is_some_and(port::is_server));
    if let Some(file) = main.or(usual) {
        return Some(of_file(package, modules, file, None));
    }
    let inside = |module: &Module| relative(&module.path, &package.directory).unwrap_or_default().to_owned();
    let mut servers: Vec<String> = modules.iter().filter(|module| port::is_server(module)).map(inside).collect();
    servers.sort_by_key(|path| (is_aside(split(path).0), depth(path)));
    let file = servers.first()?;
    let mut start = of_file(package, modules, file, None);
    if servers.len() > 1 {
        let others = crate::text::list::quoted(servers.iter().skip(1).take(NAMED));
        start.notes.push(format!(
            "the manifest starts `{file}`; other files that listen: {others}; to deploy one of them, edit `run`"
        ));
    }
    Some(start)
}

/// The module of a path in the package, whose extension may be missing.
fn found<'a>(package: &Package, modules: &'a [Module], file: &str) -> Option<&'a Module> {
    let path = join(&package.directory, &resolved("", file)?);
    let ends = ["", ".js", ".mjs", ".cjs", ".ts", "/index.js", "/index.ts"];
    ends.iter().find_map(|end| modules.iter().find(|module| module.path == format!("{path}{end}")))
}

/// The source of a file that a build makes: `dist/main.js` is made of `src/main.ts`.
fn origin<'a>(package: &Package, modules: &'a [Module], file: &str) -> Option<&'a Module> {
    let file = resolved("", file)?;
    let inner = file.split_once('/').map_or(file.as_str(), |(_, inner)| inner);
    let inner = inner.strip_prefix("src/").unwrap_or(inner);
    let stem = inner.rsplit_once('.').map_or(inner, |(stem, _)| stem);
    let places = [format!("src/{stem}"), stem.to_owned(), format!("{stem}/index"), format!("src/{stem}/index")];
    let ends = [".ts", ".mts", ".js", ".mjs", ".tsx"];
    let paths = places.iter().flat_map(|place| ends.iter().map(move |end| format!("{place}{end}")));
    paths.into_iter().find_map(|path| modules.iter().find(|module| module.path == join(&package.directory, &path)))
}
