//! The directory of a zip that holds what an image's stages put into the app's directory, and the commands that make it.

use super::build::{emptied, inside, quote};
use crate::dockerfile::{Built, Copy, Origin, Part, Run, Tool, parts};
use crate::input::Files;
use std::collections::BTreeSet;

/// The image that carries the adapter.
const ADAPTER: &str = "aws-lambda-adapter";
/// Images from which installers are copied.
const INSTALLERS: [&str; 4] = ["astral-sh/uv", "composer", "oven/bun", "library/node"];
/// Parts of a path that an installation makes.
const INSTALLED: [&str; 7] = ["node_modules", "site-packages", "venv", ".venv", "deps", "dependencies", "install"];

/// A Dockerfile in its place.
pub(super) struct Image<'a> {
    pub stages: &'a [Built],
    pub last: usize,
    /// The app's directory in the image.
    pub home: &'a str,
    /// Relative to the template.
    pub context: &'a str,
    pub files: &'a dyn Files,
    /// Makes a path of the context one that is relative to the manifest.
    pub path: &'a dyn Fn(&str) -> String,
    /// Where built code goes, relative to the manifest.
    pub output: String,
    pub runtime: &'a str,
}

/// What becomes of the Dockerfile's copies and commands.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The app, relative to the manifest.
    pub directory: String,
    /// What makes it; empty if it is there.
    pub commands: Vec<String>,
    /// The list of its dependencies, relative to the manifest, if it is not the usual one.
    pub list: Option<String>,
    /// Whether the image installs dependencies.
    pub installs: bool,
    /// Whether the commands install its dependencies.
    pub is_installed: bool,
    pub left: Vec<Left>,
    /// What the zip does without.
    pub ignored: BTreeSet<String>,
}

/// Something that the zip would lack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub line: usize,
    pub instruction: &'static str,
    pub what: String,
    pub advice: String,
}

impl Image<'_> {
    fn built(&self) -> &Built {
        &self.stages[self.last]
    }

    /// The layout of the zip.
    pub(super) fn layout(&self) -> Layout {
        let mut layout = Layout::default();
        let copies = self.copies(&mut layout);
        let builders = self.builders(&copies);
        let compiles = builders.iter().any(|number| self.stages[*number].runs.iter().any(is_build));
        let roots: BTreeSet<Option<String>> = copies.iter().flat_map(|copy| self.roots(copy)).collect();
        let roots: Vec<Option<String>> = roots.into_iter().collect();
        match &roots[..] {
            [] if !compiles => self.in_place("", &mut layout),
            [Some(root)] if !compiles => self.in_place(root, &mut layout),
            _ => self.assembled(&copies, &builders, &mut layout),
        }
        for (number, stage) in self.stages.iter().enumerate() {
            if number == self.last || builders.contains(&number) {
                let mut parts = stage.runs.iter().flat_map(|run| parts(&run.text));
                layout.installs |= parts.any(|(_, part)| matches!(part, Part::Install(_)));
                self.report_runs(stage, number == self.last, &mut layout);
            }
        }
        layout.left.sort_by_key(|left| left.line);
        layout.left.dedup();
        layout
    }

    /// The copies into the app's directory; the others are reported.
    fn copies(&self, layout: &mut Layout) -> Vec<Copy> {
        let mut inside = Vec::new();
        for copy in &self.built().copies {
            let sources = copy.sources.join("`, `");
            let left = |what: String, advice: &str| Left {
                line: copy.line,
                instruction: "COPY",
                what,
                advice: advice.to_owned(),
            };
            match &copy.from {
                Origin::Image(image) if image.contains(ADAPTER) => {}
                Origin::Image(image) if INSTALLERS.iter().any(|known| image.contains(known)) => {
                    layout.ignored.insert(format!("the installer from `{image}`"));
                }
                Origin::Image(image) => {
                    let what = format!("copies `{sources}` from the image `{image}`");
                    layout
                        .left
                        .push(left(what, "add its layer to `layers`, or put the files into the app's directory"));
                }
                Origin::Elsewhere => {
                    let what = format!("makes `{}` from an address or a text in the Dockerfile", copy.target);
                    layout.left.push(left(what, "put the file into the app's directory"));
                }
                Origin::Context | Origin::Stage(_) if below(&copy.target, self.home).is_some() => {
                    inside.push(copy.clone());
                }
                Origin::Context | Origin::Stage(_) => {
                    let is_installed = copy.sources.iter().all(|source| is_installed(source));
                    if is_installed && !self.is_compiled(&copy.from) {
                        continue;
                    }
                    let what = format!("copies `{sources}` to `{}`, outside of the app's directory", copy.target);
                    let advice = "put it into a layer, or have the app read it from its own directory";
                    layout.left.push(left(what, advice));
                }
            }
        }
        inside
    }

    fn is_compiled(&self, from: &Origin) -> bool {
        matches!(from, Origin::Stage(number) if self.stages[*number].runs.iter().any(is_build))
    }

    /// The stages from which the copies come, directly or by another stage.
    fn builders(&self, copies: &[Copy]) -> BTreeSet<usize> {
        let mut all = BTreeSet::new();
        let mut open: Vec<usize> = copies.iter().filter_map(stage_of).collect();
        while let Some(number) = open.pop() {
            if number < self.stages.len() && all.insert(number) {
                open.extend(self.stages[number].copies.iter().filter_map(stage_of));
            }
        }
        all.remove(&self.last);
        all
    }

    /// The directories of the context that would have to be the app's, one for each source; `None` for a source whose
    /// path differs there.
    fn roots(&self, copy: &Copy) -> Vec<Option<String>> {
        let target = below(&copy.target, self.home).unwrap_or_default();
        let root = |source: &String| {
            let source = match &copy.from {
                Origin::Stage(_) if is_installed(source) => return None,
                Origin::Stage(number) => self.origin(*number, source)?,
                _ => source.clone(),
            };
            // A file that is copied into a directory keeps its name.
            let is_file = !self.is_directory(&source);
            let place = match is_file && (copy.is_into || target.is_empty() || source.contains('*')) {
                true => join(target, source.rsplit('/').next().unwrap_or_default()),
                false => target.to_owned(),
            };
            Some(match source.strip_suffix(place.as_str()) {
                Some("") => Some(String::new()),
                Some(root) if place.is_empty() => Some(root.to_owned()),
                Some(root) => root.strip_suffix('/').map(str::to_owned),
                None => None,
            })
        };
        copy.sources.iter().filter_map(root).collect()
    }

    fn is_directory(&self, path: &str) -> bool {
        let known = inside(self.context, path);
        let name = path.rsplit('/').next().unwrap_or_default();
        let looks_so = !name.trim_start_matches('.').contains('.') && !name.contains('*');
        path.is_empty() || self.files.is_directory(&known) || (looks_so && self.files.text(&known).is_none())
    }

    /// The path in the context of something in a stage.
    fn origin(&self, number: usize, path: &str) -> Option<String> {
        let stage = self.stages.get(number)?;
        let path = if path.starts_with('/') { path.to_owned() } else { join(&stage.directory, path) };
        let mut best: Option<(usize, String)> = None;
        for copy in &stage.copies {
            for source in &copy.sources {
                let source = match &copy.from {
                    Origin::Context => source.clone(),
                    Origin::Stage(other) if *other < number => match self.origin(*other, source) {
                        Some(source) => source,
                        None => continue,
                    },
                    _ => continue,
                };
                let is_into = copy.is_into || source.contains('*');
                let (from, to) = match (self.is_directory(&source), is_into) {
                    (true, _) => (source, copy.target.clone()),
                    (false, true) => (parent(&source), copy.target.clone()),
                    (false, false) => (parent(&source), parent(&copy.target)),
                };
                let Some(rest) = below(&path, &to) else { continue };
                if best.as_ref().is_none_or(|(length, _)| *length <= to.len()) {
                    best = Some((to.len(), join(&from, rest)));
                }
            }
        }
        best.map(|(_, path)| path)
    }

    /// The commands of the last stage that make a part of the app, with the installation that they need.
    fn own_runs(&self) -> &[Run] {
        let runs = &self.built().runs;
        if runs.iter().any(is_build) { runs } else { &[] }
    }

    /// A directory of the context is the app.
    fn in_place(&self, root: &str, layout: &mut Layout) {
        layout.directory = (self.path)(root);
        for run in self.own_runs() {
            let directory = self.origin(self.last, &run.directory).unwrap_or_else(|| root.to_owned());
            layout.commands.extend(command(&(self.path)(&directory), &run.text));
        }
        self.installation(self.last, root, layout);
        for number in self.builders(&self.built().copies) {
            self.installation(number, root, layout);
        }
    }

    /// The list of dependencies that a stage installs, and the gems, which lamstream does not install.
    fn installation(&self, number: usize, root: &str, layout: &mut Layout) {
        for run in &self.stages[number].runs {
            for (_, part) in parts(&run.text) {
                let Part::Install(list) = part else { continue };
                if self.runtime.starts_with("ruby") {
                    let directory = quote(&layout.directory);
                    let gems = "bundle config set --local path vendor/bundle && bundle install";
                    layout.commands.push(format!("(cd {directory} && {gems})"));
                } else if let Some(list) = list.filter(|_| self.runtime.starts_with("python")) {
                    let found = self.origin(number, &join(&run.directory, &list)).unwrap_or(list);
                    let usual = join(root, "requirements.txt");
                    layout.list = layout.list.take().or((found != usual).then(|| (self.path)(&found)));
                }
            }
        }
    }

    /// The app is put together in a directory of its own, as the stages do it.
    fn assembled(&self, copies: &[Copy], builders: &BTreeSet<usize>, layout: &mut Layout) {
        layout.directory.clone_from(&self.output);
        layout.commands.push(emptied(&self.output));
        // An image that installs nothing itself has what is copied into it, such as a bundle or Next.js's standalone app.
        let mut parts = self.built().runs.iter().flat_map(|run| parts(&run.text));
        let installs = parts.any(|(_, part)| matches!(part, Part::Install(_) | Part::Packages(_)));
        layout.is_installed = self.runtime.starts_with("nodejs") && !installs;
        let mut moves = Vec::new();
        let mut made: Vec<(usize, String, String)> = Vec::new();
        for copy in copies {
            let target = below(&copy.target, self.home).unwrap_or_default();
            for source in &copy.sources {
                layout.is_installed |= source.contains("node_modules") || source.contains("site-packages");
                let found = match stage_of(copy) {
                    Some(number) => self.origin(number, source).ok_or(number),
                    None => Ok(source.clone()),
                };
                match found {
                    Ok(source) => moves.push(self.moved(&source, target, copy.is_into)),
                    Err(number) if self.stages[number].runs.iter().any(|run| run.text.contains(source.as_str())) => {
                        let output = join(&self.output, target);
                        made.push((number, source.clone(), format!("\"$OLDPWD\"/{}", quote(&output))));
                    }
                    Err(_) => layout.left.push(Left {
                        line: copy.line,
                        instruction: "COPY",
                        what: format!("copies `{source}`, which an earlier stage makes"),
                        advice: format!("put it into `{}`", join(&self.output, target)),
                    }),
                }
            }
        }
        for number in builders {
            let stage = &self.stages[*number];
            for run in &stage.runs {
                let of_stage = made.iter().filter(|(made, ..)| made == number);
                let text = of_stage.fold(run.text.clone(), |text, (_, from, to)| text.replace(from, to));
                let directory = self.origin(*number, &run.directory).unwrap_or_default();
                layout.commands.extend(command(&(self.path)(&directory), &text));
            }
        }
        layout.commands.extend(moves);
        layout.commands.extend(self.own_runs().iter().filter_map(|run| {
            let directory = below(&run.directory, self.home).unwrap_or_default();
            command(&join(&self.output, directory), &run.text)
        }));
        layout.commands.dedup();
    }

    /// A command that copies from the context as `COPY` does.
    fn moved(&self, source: &str, target: &str, is_into: bool) -> String {
        let from = (self.path)(source);
        // A pattern stays one.
        let from = if source.contains('*') { from } else { quote(&from) };
        let to = quote(&join(&self.output, target));
        let above = parent(target);
        let make = |directory: &str| match directory.is_empty() {
            true => String::new(),
            false => format!("mkdir -p {} && ", quote(&join(&self.output, directory))),
        };
        let has_its_name = !source.is_empty() && source.rsplit('/').next() == target.rsplit('/').next();
        match self.is_directory(source) {
            // What a stage makes may be a file or a directory: under its own name, both are copied alike.
            true if has_its_name => {
                let above = join(&self.output, &above);
                format!("{}cp -R {from} {}/", make(&parent(target)), quote(&above))
            }
            true => format!("{}cp -R {from}/. {to}", make(target)),
            false if is_into || target.is_empty() => format!("{}cp {from} {to}/", make(target)),
            false => format!("{}cp {from} {to}", make(&above)),
        }
    }

    /// Reports what the commands of a stage put into the image and lamstream does not put into a zip.
    fn report_runs(&self, stage: &Built, is_last: bool, layout: &mut Layout) {
        for run in &stage.runs {
            for (text, part) in parts(&run.text) {
                let left = |what: String, advice: String| Left { line: run.line, instruction: "RUN", what, advice };
                match part {
                    Part::System(names) if is_last => {
                        let what = format!("installs `{}`, but a zip has no packages of a system", names.join("`, `"));
                        let advice = "put the programs and libraries that the app needs into a layer";
                        layout.left.push(left(what, advice.to_owned()));
                    }
                    Part::Packages(names) if !is_build(run) || is_last => {
                        let list = if self.runtime.starts_with("nodejs") { "package.json" } else { "requirements.txt" };
                        let what = format!("installs `{}`, which no list of the app names", names.join("`, `"));
                        let list = join(&layout.directory, list);
                        layout.left.push(left(what, format!("add them to `{list}`")));
                    }
                    Part::Other(Tool::Image) if is_last => {
                        let program = text.split_whitespace().next().unwrap_or_default();
                        layout.ignored.insert(format!("`{program}`"));
                    }
                    _ => {}
                }
            }
        }
    }
}

/// A command of the Dockerfile, without what prepares only the image; `None` if nothing is left of it.
fn command(directory: &str, text: &str) -> Option<String> {
    let parts = parts(text);
    let stays = |part: &Part| !matches!(part, Part::System(_) | Part::Other(Tool::Installer));
    let is_needed = parts.iter().any(|(_, part)| matches!(part, Part::Build | Part::Install(_) | Part::Packages(_)));
    let texts: Vec<String> = parts.into_iter().filter(|(_, part)| stays(part)).map(|(text, _)| text).collect();
    let directory = quote(directory);
    is_needed.then(|| match directory.as_str() {
        "." if !text.contains("$OLDPWD") => format!("({})", texts.join(" && ")),
        _ => format!("(cd {directory} && {})", texts.join(" && ")),
    })
}

fn is_build(run: &Run) -> bool {
    parts(&run.text).iter().any(|(_, part)| *part == Part::Build)
}

fn stage_of(copy: &Copy) -> Option<usize> {
    if let Origin::Stage(number) = copy.from { Some(number) } else { None }
}

fn is_installed(path: &str) -> bool {
    path.split('/').any(|part| INSTALLED.contains(&part))
}

/// The rest of a path below a directory.
pub(super) fn below<'p>(path: &'p str, directory: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(directory.trim_end_matches('/'))?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

fn join(directory: &str, name: &str) -> String {
    match (directory.is_empty(), name.is_empty()) {
        (true, _) => name.to_owned(),
        (_, true) => directory.to_owned(),
        _ => format!("{}/{}", directory.trim_end_matches('/'), name.trim_start_matches("./")),
    }
}

fn parent(path: &str) -> String {
    path.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned()
}
