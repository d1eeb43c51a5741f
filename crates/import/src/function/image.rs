//! A container image as a proposal: a zip with the same app, read from the image's Dockerfile.

use super::build::{self, Build};
use super::command::{self, Command};
use super::layers;
use super::properties::Properties;
use super::proposal::{Image, Layout, below};
use crate::dockerfile::{self, Built, Copy, Origin, Start};
use crate::draft::{LeftOver, UNSUPPORTED};
use crate::node::Node;
use crate::writer::Writer;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The runtime of an image whose own one is not known.
const OTHER_RUNTIME: &str = "provided.al2023";
/// Variables that only installers or the image's own paths need.
const ONLY_THERE: [&str; 11] = [
    "PATH",
    "VIRTUAL_ENV",
    "DEBIAN_FRONTEND",
    "PIP_",
    "UV_",
    "POETRY_",
    "NPM_CONFIG_",
    "YARN_",
    "LANG",
    "LC_ALL",
    "LAMBDA_TASK_ROOT",
];
/// Images whose programs no runtime of Lambda needs.
const PLAIN: [&str; 11] = [
    "alpine",
    "debian",
    "ubuntu",
    "scratch",
    "busybox",
    "amazonlinux",
    "golang",
    "rust",
    "static-debian12",
    "cc-debian12",
    "base-debian12",
];

/// Whether the image is built from a Dockerfile of the template.
pub(super) fn is_built_here(metadata: &Node) -> bool {
    ["DockerContext", "Dockerfile"].iter().any(|key| metadata.get(key).is_some())
}

/// Writes the keys of the source, and returns whether the adapter is in front of the app.
pub(super) fn read(writer: &mut Writer<'_>, properties: &mut Properties, metadata: &Node) -> bool {
    for name in ["PackageType", "Runtime", "Handler"] {
        properties.take(name);
    }
    if properties.take("ImageUri").is_some() {
        writer.comment("`ImageUri` is where SAM keeps the image; a zip does without it.");
    }
    let config = properties.take("ImageConfig");
    let (context, file) = places(writer, metadata);
    let target = metadata.get("DockerBuildTarget").and_then(Node::text);
    let arguments = metadata.get("DockerBuildArgs").map(Node::entries).unwrap_or_default();
    let arguments = arguments.iter().filter_map(|(name, value)| Some((name.clone(), value.text()?.to_owned())));
    let arguments: BTreeMap<String, String> = arguments.collect();
    let text = writer.options.files.text(&file);
    let built = text.as_deref().and_then(|text| dockerfile::build(text, target, &arguments));
    let Some((mut stages, last)) = built else {
        let what = format!("`{file}` cannot be read, so this is only a start");
        writer.block(metadata, "Metadata.Dockerfile", what, "set `web`, `runtime` and `run` as the image has them");
        writer.key("web", writer.path_to(&context));
        writer.key("runtime", OTHER_RUNTIME);
        writer.key("run", "run.sh");
        return true;
    };
    configure(writer, &mut stages[last], config.as_ref());
    writer.comment(format!(
        "lamstream deploys zips. This is a proposal, read from {file}: compare it with what the image does."
    ));
    let built = stages[last].clone();
    let command = Command::of(built.entrypoint.as_ref(), built.command.as_ref());
    let home = home(&built, command.as_ref());
    let runtime = runtime(writer, &file, &built);
    let output = build::output(writer);
    let template_directory = writer.options.template_directory.to_owned();
    let path = |path: &str| {
        let whole = Path::new(&template_directory).join(&context).join(path).to_string_lossy().into_owned();
        let whole = whole.trim_end_matches('/');
        if whole.is_empty() { ".".to_owned() } else { whole.to_owned() }
    };
    let files = writer.options.files;
    let image =
        Image { stages: &stages, last, home: &home, context: &context, files, path: &path, output, runtime: &runtime };
    let layout = image.layout();
    let here = Here { file: &file, home: &home, runtime: &runtime, layout: &layout };
    here.write(writer, properties, &built, command)
}

/// The context and the Dockerfile, relative to the template.
fn places(writer: &mut Writer<'_>, metadata: &Node) -> (String, String) {
    let clean = |path: PathBuf| -> String {
        let path: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
        path.to_string_lossy().into_owned()
    };
    for (name, node) in writer.map(metadata, "Metadata").unwrap_or_default() {
        match name.as_str() {
            "DockerContext" | "Dockerfile" | "DockerBuildTarget" | "DockerBuildArgs" => {}
            "DockerTag" | "SamResourceId" | "SamNormalize" => {}
            _ => writer.left(
                node,
                &format!("Metadata.{name}"),
                UNSUPPORTED,
                "leave it out, or do by hand what it was for",
            ),
        }
    }
    let text = |key: &str, default: &'static str| metadata.get(key).and_then(Node::text).unwrap_or(default);
    let context = clean(PathBuf::from(text("DockerContext", ".")));
    let file = clean(Path::new(&context).join(text("Dockerfile", "Dockerfile")));
    (context, file)
}

/// `ImageConfig` replaces what the Dockerfile starts.
fn configure(writer: &mut Writer<'_>, built: &mut Built, config: Option<&Node>) {
    let Some(config) = config else { return };
    let known = ["Command", "EntryPoint", "WorkingDirectory"];
    if writer.fields(config, "ImageConfig", &known).is_none() {
        return;
    }
    let words = |writer: &mut Writer<'_>, key: &str| {
        let node = config.get(key)?;
        writer.texts(node, &format!("ImageConfig.{key}")).map(Start::Words)
    };
    built.entrypoint = words(writer, "EntryPoint").or(built.entrypoint.take());
    built.command = words(writer, "Command").or(built.command.take());
    let directory = config.get("WorkingDirectory");
    if let Some(directory) = directory.and_then(|node| writer.text(node, "ImageConfig.WorkingDirectory")) {
        built.directory = directory;
    }
}

/// The app's directory in the image.
fn home(built: &Built, command: Option<&Command>) -> String {
    if built.directory != "/" {
        return built.directory.clone();
    }
    let parent = |path: &str| path.rsplit_once('/').map(|(parent, _)| parent.to_owned()).filter(|one| !one.is_empty());
    let words = command.map(Command::words).unwrap_or_default();
    let is_systems =
        |path: &str| ["/bin", "/usr", "/opt/bootstrap", "/sbin"].iter().any(|start| path.starts_with(start));
    let started = words.iter().find(|word| word.starts_with('/') && !is_systems(word)).and_then(|word| parent(word));
    let is_app = |copy: &&Copy| {
        let is_elsewhere = ["/opt", "/etc", "/usr"].iter().any(|start| below(&copy.target, start).is_some());
        !is_elsewhere && !matches!(copy.from, Origin::Image(_))
    };
    let copied = built.copies.iter().find(is_app);
    let copied = copied.and_then(|copy| if copy.is_into { Some(copy.target.clone()) } else { parent(&copy.target) });
    started.or(copied).unwrap_or_else(|| "/".to_owned())
}

/// The runtime that is most like an image.
fn runtime(writer: &mut Writer<'_>, file: &str, built: &Built) -> String {
    let (image, line) = (built.image.as_str(), built.image_line);
    let name = image.split('@').next().unwrap_or(image);
    let last = name.rsplit('/').next().unwrap_or(name);
    let (program, tag) = last.split_once(':').unwrap_or((last, ""));
    // `uv:python3.12-slim`, `build-python3.12` and `nodejs20-debian12` name the version elsewhere.
    let all = format!("{program}:{tag}");
    let after = |word: &str| all.split_once(word).map(|(_, rest)| rest.trim_start_matches([':', '.', 'x', '-']));
    let numbers = |text: &str, count: usize| -> Option<String> {
        let version: String = text.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').collect();
        let parts: Vec<&str> = version.split('.').filter(|part| !part.is_empty()).take(count).collect();
        (parts.len() == count).then(|| parts.join("."))
    };
    let is_java = ["corretto", "temurin", "openjdk", "java"].iter().any(|word| program.contains(word));
    let (language, found, default) = if let Some(rest) = after("python") {
        ("python", numbers(rest, 2).map(|version| format!("python{version}")), "python3.13")
    } else if let Some(rest) = after("nodejs").or_else(|| after("node")) {
        let even = |version: String| version.parse::<u32>().ok().map(|version| version + version % 2);
        ("Node.js", numbers(rest, 1).and_then(even).map(|version| format!("nodejs{version}.x")), "nodejs22.x")
    } else if let Some(rest) = after("ruby") {
        ("Ruby", numbers(rest, 2).map(|version| format!("ruby{version}")), "ruby3.4")
    } else if is_java {
        let version = numbers(tag, 1);
        let name = |version: String| if version == "8" { "java8.al2".to_owned() } else { format!("java{version}") };
        ("Java", version.map(name), "java21")
    } else if ["aspnet", "dotnet", "runtime"].contains(&program) && all.contains(':') {
        (".NET", numbers(tag, 1).map(|version| format!("dotnet{version}")), "dotnet8")
    } else {
        if !PLAIN.contains(&program) && program != "provided" {
            let what = format!("the image is based on `{image}`, whose programs no runtime of Lambda has");
            let advice = "put the programs that the app needs into a layer or into the app's directory";
            push(writer, file, ("FROM", line), (&what, advice), true);
        }
        return OTHER_RUNTIME.to_owned();
    };
    found.unwrap_or_else(|| {
        let what = format!("`{image}` does not say which version of {language} it has");
        push(writer, file, ("FROM", line), (&what, &format!("check that `{default}` is right")), false);
        default.to_owned()
    })
}

fn push(writer: &mut Writer<'_>, file: &str, (path, line): (&str, usize), (what, advice): (&str, &str), blocks: bool) {
    let (file, path, what, advice) = (file.to_owned(), path.to_owned(), what.to_owned(), advice.to_owned());
    writer.push_left(LeftOver { file, line, path, what, advice, blocks });
}

/// Where the Dockerfile says what starts.
fn line_of(built: &Built) -> usize {
    built.start_line.unwrap_or(built.image_line)
}

/// What is known of the image.
struct Here<'a> {
    file: &'a str,
    home: &'a str,
    runtime: &'a str,
    layout: &'a Layout,
}

impl Here<'_> {
    fn write(
        &self,
        writer: &mut Writer<'_>,
        properties: &mut Properties,
        built: &Built,
        command: Option<Command>,
    ) -> bool {
        let handler = command.as_ref().and_then(|command| command.handler(dockerfile::is_lambdas(&built.image)));
        let is_bare = dockerfile::is_lambdas(&built.image) && self.runtime.starts_with("provided");
        let is_web = handler.is_none() && !is_bare && !self.runtime.starts_with("provided");
        writer.key(if is_web { "web" } else { "package" }, self.layout.directory.as_str());
        writer.key("runtime", self.runtime);
        self.variables(writer, properties, built);
        if let Some(handler) = &handler {
            if !is_bare {
                writer.key("handler", handler.as_str());
            }
        } else if is_bare {
            self.bootstrap(writer, built, command.as_ref());
        } else {
            self.start(writer, properties, built, command.as_ref(), is_web);
        }
        self.dependencies(writer, handler.is_some(), is_web);
        self.report(writer, built);
        handler.is_none() && !is_bare
    }

    /// On Lambda's OS-only image the Dockerfile says what starts; in a zip that is `bootstrap`.
    fn bootstrap(&self, writer: &mut Writer<'_>, built: &Built, command: Option<&Command>) {
        let line = command.map(|command| command.line(self.home, self.runtime, &|_| None).text);
        if let Some(line) = line.filter(|line| line != "bootstrap") {
            let what = format!("starts `{line}`, but in a zip Lambda starts `bootstrap`");
            let advice = "name the program `bootstrap`, here and in the command that builds it";
            push(writer, self.file, ("CMD", line_of(built)), (&what, advice), true);
        }
    }

    fn start(
        &self,
        writer: &mut Writer<'_>,
        properties: &Properties,
        built: &Built,
        command: Option<&Command>,
        is_web: bool,
    ) {
        let Some(command) = command else {
            let what = "the Dockerfile does not say what starts: its base image does";
            push(
                writer,
                self.file,
                ("FROM", built.image_line),
                (what, "set `run` to the command that starts the app"),
                true,
            );
            writer.key("run", "run.sh");
            return;
        };
        let scripts = |name: &str| {
            let path = format!("{}/package.json", self.layout.directory);
            let text = writer.options.files.text(path.trim_start_matches("./"))?;
            command::script(&text, name)
        };
        let line = command.line(self.home, self.runtime, &scripts);
        if let Some(note) = &line.note {
            push(writer, self.file, ("CMD", line_of(built)), (note, "check that `run` starts it in a zip"), true);
        }
        let is_elsewhere = line.text.starts_with('/') && !line.text.contains(' ');
        if is_elsewhere {
            let what = format!("starts `{}`, which is outside of the app's directory", line.text);
            push(
                writer,
                self.file,
                ("CMD", line_of(built)),
                (&what, "set `run` to what starts the app in a zip"),
                true,
            );
            writer.key("run", "run.sh");
        } else if line.text != "bootstrap" {
            writer.key("run", line.text.as_str());
        }
        let variables = properties.peek("Environment").and_then(|node| node.get("Variables")).cloned();
        let is_set = layers::PORTS.iter().any(|name| properties.variable(name).is_some());
        let exposed = if built.ports.len() == 1 { built.ports.first().copied() } else { None };
        let port = line.port.or(exposed).filter(|_| !is_set);
        if let Some(port) = port.filter(|port| *port != 8080) {
            writer.key("port", i64::from(port));
        }
        layers::write_adapter(writer, variables.as_ref(), is_web || port.is_some_and(|port| port != 8080), &[]);
    }

    /// Adds the image's variables to the function's.
    fn variables(&self, writer: &mut Writer<'_>, properties: &mut Properties, built: &Built) {
        let mut left_out = Vec::new();
        for (name, value) in &built.environment {
            let is_path = name == "PYTHONPATH" && value.split(':').all(|part| below(part, self.home).is_some());
            let is_there = ONLY_THERE.iter().any(|known| match known.ends_with('_') {
                true => name.starts_with(known),
                false => name == known,
            });
            match is_path || is_there {
                true => left_out.push(format!("`{name}`")),
                false => properties.add_variable(name, value),
            }
        }
        if !left_out.is_empty() {
            writer.comment(format!("Variables that only the image needs are left out: {}.", left_out.join(", ")));
        }
    }

    fn dependencies(&self, writer: &mut Writer<'_>, is_handler: bool, is_web: bool) {
        let Layout { commands, list, is_installed, directory, .. } = self.layout;
        if is_web && *is_installed {
            writer.comment("The commands that build the app install its dependencies.");
            writer.key("dependencies", "none");
        } else if let Some(list) = list.as_ref().filter(|_| is_web) {
            writer.key("dependencies", list.as_str());
        }
        let mut commands = commands.clone();
        let installs = is_handler && self.layout.installs;
        if installs && self.runtime.starts_with("nodejs") {
            commands.push(format!("npm --prefix {} install --omit=dev", build::quote(directory)));
        }
        if installs && self.runtime.starts_with("python") {
            let list = list.clone().unwrap_or_else(|| format!("{directory}/requirements.txt"));
            let (list, to) = (build::quote(&list), build::quote(directory));
            commands.push(format!("python3 -m pip install -r {list} --target {to}"));
        }
        if !commands.is_empty() {
            let what = format!("As {} builds the app.", self.file);
            let build = Build { what, command: commands.join(" && "), output: directory.clone() };
            build::write(writer, &build);
        }
    }

    /// Reports what the image has and the zip lacks.
    fn report(&self, writer: &mut Writer<'_>, built: &Built) {
        for left in &self.layout.left {
            push(writer, self.file, (left.instruction, left.line), (&left.what, &left.advice), true);
        }
        for (line, name, text) in &built.unknown {
            let what = format!("`{name} {text}` is not an instruction that lamstream knows");
            push(writer, self.file, (name, *line), (&what, "check what the app needs of it"), false);
        }
        let mut ignored: Vec<String> = built.ignored.iter().map(|(_, name)| format!("`{name}`")).collect();
        ignored.extend(self.layout.ignored.iter().cloned());
        ignored.sort();
        ignored.dedup();
        if !ignored.is_empty() {
            writer.comment(format!("A zip does without these parts of {}: {}.", self.file, ignored.join(", ")));
        }
    }
}
