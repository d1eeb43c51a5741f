//! Where a function's code comes from: a web app behind the adapter, a crate, or a package built elsewhere.

use super::build::{self, Source};
use super::layers;
use super::properties::Properties;
use crate::draft::UNSUPPORTED;
use crate::node::Node;
use crate::writer::Writer;
use std::path::{Component, Path, PathBuf};

/// What precedes and follows the version in the name of a runtime. AWS decides which versions exist.
const RUNTIMES: [(&str, &str); 5] = [("python", ""), ("nodejs", ".x"), ("java", ""), ("dotnet", ""), ("ruby", "")];
const PROVIDED: [&str; 2] = ["provided.al2023", "provided.al2"];

/// Writes the keys of the source, and returns whether the adapter is in front of the app.
pub(super) fn read(writer: &mut Writer<'_>, properties: &mut Properties, metadata: Option<&Node>) -> bool {
    let all_layers = properties.take("Layers");
    let (adapter, others): (Vec<&Node>, Vec<&Node>) =
        all_layers.iter().flat_map(Node::each).partition(|layer| layers::is_adapter(layer));
    let runtime = properties.take("Runtime");
    let handler = properties.take("Handler");
    let name = runtime.as_ref().and_then(Node::text).unwrap_or_default().to_owned();
    let is_managed = !name.starts_with("provided");
    let variables = properties.peek("Environment").and_then(|node| node.get("Variables")).cloned();
    let wrapper = variables.as_ref().and_then(|node| node.get("AWS_LAMBDA_EXEC_WRAPPER")).and_then(Node::text);
    let method = metadata.map(method_of).unwrap_or_default();
    let (code, directory) = code(writer, properties);
    let is_crate = method == "rust-cargolambda";
    let has_adapter = !adapter.is_empty() && (!is_managed || is_crate || wrapper == Some("/opt/bootstrap"));
    if is_crate {
        writer.key("crate", code);
        crate_of(writer, metadata, runtime.as_ref(), handler.as_ref());
        metadata.iter().for_each(|metadata| report_metadata(writer, metadata, method));
    } else {
        from_files(writer, properties, metadata, (code, directory), (runtime.as_ref(), handler.as_ref()), has_adapter);
    }
    if has_adapter {
        layers::report_contradictions(writer, properties, wrapper.filter(|_| !is_managed), &adapter);
        layers::write_adapter(writer, variables.as_ref(), is_managed && !is_crate, &adapter);
        layers::write(writer, &others);
    } else {
        layers::write(writer, &all_layers.iter().flat_map(Node::each).collect::<Vec<_>>());
        if let Some(layer) = adapter.first() {
            let what = "the adapter's layer has no effect without `AWS_LAMBDA_EXEC_WRAPPER=/opt/bootstrap`";
            let advice = "if this is a web app, replace `package` with `web` and `handler` with `run`";
            writer.block(layer, "Layers", what, advice);
        }
    }
    has_adapter
}

/// Writes the keys of a directory or a zip: what it is, what runs it, what starts.
fn from_files(
    writer: &mut Writer<'_>,
    properties: &Properties,
    metadata: Option<&Node>,
    (code, directory): (String, Option<String>),
    (runtime, handler): (Option<&Node>, Option<&Node>),
    has_adapter: bool,
) {
    let is_file = [".zip", ".jar"].iter().any(|end| code.ends_with(end));
    // A zip is complete; only a directory is the source of a web app.
    let name = runtime.and_then(Node::text).unwrap_or_default();
    let is_web = has_adapter && !name.starts_with("provided") && !is_file;
    let name = known_runtime(name).unwrap_or(OTHER_RUNTIME);
    let is_installed = is_web && ["python", "nodejs"].iter().any(|known| name.starts_with(known));
    let directory = directory.filter(|_| !is_file);
    let source =
        directory.as_deref().map(|directory| Source { directory, code: &code, runtime: name, installs: is_installed });
    let built = source.as_ref().and_then(|source| build::of(writer, properties, metadata, source));
    let output = built.as_ref().and_then(|built| built.as_ref().ok()).map(|build| build.output.as_str());
    writer.key(if is_web { "web" } else { "package" }, output.unwrap_or(&code));
    let written = write_runtime(writer, properties, runtime);
    start(writer, properties, &written, handler, has_adapter);
    if is_installed && output.is_some_and(|output| output != code) {
        writer.comment("The command that builds the app installs its dependencies.");
        writer.key("dependencies", "none");
    }
    match built {
        Some(Ok(build)) => build::write(writer, &build),
        Some(Err(method)) => not_built(writer, properties, &written, &method),
        None => {}
    }
    metadata.iter().for_each(|metadata| report_metadata(writer, metadata, method_of(metadata)));
}

/// How `sam build` builds the code, if the template says so.
fn method_of(metadata: &Node) -> &str {
    metadata.get("BuildMethod").and_then(Node::text).unwrap_or_default()
}

/// The directory or the zip, relative to the manifest; and relative to the template, if the template names it.
fn code(writer: &mut Writer<'_>, properties: &mut Properties) -> (String, Option<String>) {
    let own = format!("code/{}", writer.table.last().map(String::as_str).unwrap_or_default());
    if let Some(inline) = properties.take("InlineCode") {
        let advice = format!("save it to a file in the directory `{own}`");
        writer.block(&inline, "InlineCode", "lamstream deploys directories and zip files", advice);
        return (own, None);
    }
    let Some(uri) = properties.take("CodeUri") else { return (writer.path_to(""), Some(".".to_owned())) };
    let far = uri.text().and_then(|text| text.split_once("://"));
    if uri.is_map() || far.is_some() {
        let place =
            far.map_or("S3".to_owned(), |(kind, _)| if kind == "s3" { "S3".into() } else { format!("`{kind}`") });
        let advice = format!("download it to `{own}.zip`");
        writer.block(&uri, "CodeUri", format!("the code is in {place}, but lamstream deploys local files"), advice);
        return (format!("{own}.zip"), None);
    }
    let Some(text) = writer.text(&uri, "CodeUri") else { return (own, None) };
    // `./app`, `.//app` and `app/.` are one directory.
    let clean: PathBuf = Path::new(&text).components().filter(|part| *part != Component::CurDir).collect();
    let clean = clean.to_string_lossy().trim_end_matches('/').to_owned();
    (writer.path_to(&clean), Some(if clean.is_empty() { ".".to_owned() } else { clean }))
}

/// The crate's binary and runtime.
fn crate_of(writer: &mut Writer<'_>, metadata: Option<&Node>, runtime: Option<&Node>, handler: Option<&Node>) {
    let binary = metadata.and_then(|node| node.at(&["BuildProperties", "Binary"]));
    if let Some(binary) = binary.and_then(|node| writer.text(node, "Metadata.BuildProperties.Binary")) {
        writer.key("bin", binary);
    }
    if let Some(node) = runtime.filter(|node| node.text() != Some(PROVIDED[0])) {
        let what = format!("lamstream runs crates on `{}`", PROVIDED[0]);
        writer.left(node, "Runtime", what, "check that the crate does not need another system");
    }
    bootstrap_alone(writer, handler);
}

fn start(writer: &mut Writer<'_>, properties: &Properties, runtime: &str, handler: Option<&Node>, has_adapter: bool) {
    let is_provided = runtime.starts_with("provided");
    if is_provided && !has_adapter {
        bootstrap_alone(writer, handler);
        return;
    }
    if is_provided && handler.is_none_or(|node| node.text() == Some("bootstrap")) {
        return;
    }
    let (key, example) = if has_adapter { ("run", "run.sh") } else { ("handler", "main.handler") };
    let handler = handler_of(writer, properties, handler, key);
    writer.key(key, handler.unwrap_or_else(|| example.to_owned()));
}

/// On `provided` runtimes the package's `bootstrap` runs, whatever the handler is called.
fn bootstrap_alone(writer: &mut Writer<'_>, handler: Option<&Node>) {
    let Some(node) = handler.filter(|node| node.text() != Some("bootstrap")) else { return };
    let Some(text) = writer.text(node, "Handler") else { return };
    let what = format!("is `{text}`, but what runs is the package's `bootstrap`, which does not get this name");
    writer.left(node, "Handler", what, "check that `bootstrap` exists, and does not need a handler");
}

/// What starts the code; reported if the template does not say it.
fn handler_of(writer: &mut Writer<'_>, properties: &Properties, handler: Option<&Node>, key: &str) -> Option<String> {
    match handler {
        Some(node) => writer.text(node, "Handler"),
        None => {
            writer.block(
                &properties.place,
                "Handler",
                "the template does not set it",
                format!("check that `{key}` is right"),
            );
            None
        }
    }
}

fn not_built(writer: &mut Writer<'_>, properties: &Properties, runtime: &str, method: &str) {
    if !["", "custom"].contains(&method) {
        let what = format!("`sam build` built the code with `{method}`, which lamstream does not");
        writer.block(&properties.place, "CodeUri", what, "build it first, and set `package` to the output");
        return;
    }
    let (what, advice) = if runtime.starts_with("provided") {
        (
            "`sam build` compiled it, but lamstream zips the directory as it is",
            "build it first, and set `package` to the directory that contains `bootstrap`",
        )
    } else {
        (
            "`sam build` installed its dependencies, but lamstream zips the directory as it is",
            "install them into the directory first, or set `package` to the output of a build",
        )
    };
    writer.block(&properties.place, "CodeUri", what, advice);
}

/// The runtime of a function whose own one is not known.
const OTHER_RUNTIME: &str = "provided.al2023";

/// The name, if it looks like that of a runtime. AWS decides which versions exist.
fn known_runtime(name: &str) -> Option<&str> {
    let is_version = |text: &str| {
        let text = text.strip_suffix(".al2").or(text.strip_suffix(".al2023")).unwrap_or(text);
        text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_one = |(before, behind): &(&str, &str)| {
        name.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind)).is_some_and(is_version)
    };
    (PROVIDED.contains(&name) || RUNTIMES.iter().any(is_one)).then_some(name)
}

/// Writes a runtime that the manifest accepts, and returns it.
fn write_runtime(writer: &mut Writer<'_>, properties: &Properties, runtime: Option<&Node>) -> String {
    let Some(node) = runtime else {
        writer.block(&properties.place, "Runtime", "the template does not set it", "check that `runtime` is right");
        writer.key("runtime", OTHER_RUNTIME);
        return OTHER_RUNTIME.to_owned();
    };
    let text = writer.text(node, "Runtime").unwrap_or_else(|| OTHER_RUNTIME.to_owned());
    let runtime = known_runtime(&text).unwrap_or(OTHER_RUNTIME);
    if runtime != text {
        let what = format!("AWS does not have the runtime `{text}`");
        writer.block(node, "Runtime", what, format!("check that the function runs on `{runtime}`, or set another"));
    }
    writer.key("runtime", runtime);
    runtime.to_owned()
}

/// Reports what the metadata says about the build, apart from what the build itself uses.
fn report_metadata(writer: &mut Writer<'_>, metadata: &Node, method: &str) {
    let is_crate = method == "rust-cargolambda";
    for (name, node) in writer.map(metadata, "Metadata").unwrap_or_default() {
        match name.as_str() {
            "BuildMethod" if ["makefile", "esbuild", "rust-cargolambda"].contains(&method) => {}
            "BuildMethod" => {
                if let Some(method) = writer.text(node, "Metadata.BuildMethod") {
                    writer
                        .comment(format!("`BuildMethod: {method}` is for `sam build`, which lamstream does not run."));
                }
            }
            "ContextPath" | "WorkingDirectory" if method == "makefile" => {}
            "BuildProperties" => {
                let properties = writer.map(node, "Metadata.BuildProperties").unwrap_or_default();
                for (key, value) in properties.iter().filter(|(key, _)| !is_built_in(method, key)) {
                    let path = format!("Metadata.BuildProperties.{key}");
                    let (what, advice) = match is_crate {
                        true => ("lamstream calls cargo itself", "docs/building.md describes how"),
                        false => ("a property of `sam build`", "add it to the command that builds the code"),
                    };
                    writer.left(value, &path, what, advice);
                }
            }
            "SamResourceId" | "aws:asset:path" => {}
            _ => {
                let path = format!("Metadata.{name}");
                writer.left(node, &path, UNSUPPORTED, "leave it out, or do by hand what it was for");
            }
        }
    }
}

/// Whether the key or the command of a build has this property.
fn is_built_in(method: &str, key: &str) -> bool {
    match method {
        "rust-cargolambda" => key == "Binary",
        "esbuild" => build::ESBUILD_OTHERS.contains(&key) || build::ESBUILD.iter().any(|(known, _)| *known == key),
        _ => false,
    }
}
