//! Where a function's code comes from: a web app behind the adapter, a crate, or a package built elsewhere.

use super::draft::Page;
use super::function::Properties;
use super::node::{Node, What};
use std::path::{Component, Path, PathBuf};

/// What stands before and behind the versions of runtimes; which versions there are AWS says itself.
const RUNTIMES: [(&str, &str); 5] = [("python", ""), ("nodejs", ".x"), ("java", ""), ("dotnet", ""), ("ruby", "")];
const PROVIDED: [&str; 2] = ["provided.al2023", "provided.al2"];
/// AWS's account for the adapter's layers.
const PUBLISHER: &str = ":753240598075:";
const ADAPTER: &str = ":layer:LambdaAdapterLayer";
/// What lamstream sets itself where the adapter is in front.
pub const ADAPTER_VARIABLES: [&str; 7] = [
    "AWS_LAMBDA_WEB_ADAPTER_PORT",
    "AWS_LAMBDA_EXEC_WRAPPER",
    "AWS_LWA_INVOKE_MODE",
    "AWS_LWA_PORT",
    "PORT",
    "AWS_LWA_READINESS_CHECK_PATH",
    "READINESS_CHECK_PATH",
];

/// Writes the keys of the source; gives whether the adapter is in front of the app.
pub fn read(page: &mut Page<'_>, properties: &mut Properties, metadata: Option<&Node>) -> bool {
    let layers = properties.take("Layers");
    let (adapter, others): (Vec<&Node>, Vec<&Node>) =
        layers.iter().flat_map(Node::each).partition(|layer| is_adapter(layer));
    let runtime = properties.take("Runtime");
    let handler = properties.take("Handler");
    let name = runtime.as_ref().and_then(Node::text).unwrap_or_default().to_owned();
    let is_managed = !name.starts_with("provided");
    let variables = properties.peek("Environment").and_then(|node| node.get("Variables")).cloned();
    let wrapper = variables.as_ref().and_then(|node| node.get("AWS_LAMBDA_EXEC_WRAPPER")).and_then(Node::text);
    let method = metadata.and_then(|node| node.get("BuildMethod")).and_then(Node::text).unwrap_or_default();
    let (code, is_here) = code(page, properties);
    let is_crate = method == "rust-cargolambda";
    let in_front = !adapter.is_empty() && (!is_managed || is_crate || wrapper == Some("/opt/bootstrap"));
    if is_crate {
        page.key("crate", code);
        crate_of(page, metadata, runtime.as_ref(), handler.as_ref());
    } else {
        let is_file = [".zip", ".jar"].iter().any(|end| code.ends_with(end));
        // A zip is no directory of an app: what is in it is there.
        let is_web = in_front && is_managed && !is_file;
        page.key(if is_web { "web" } else { "package" }, code);
        let runtime = write_runtime(page, properties, runtime.as_ref());
        start(page, properties, &runtime, handler.as_ref(), in_front);
        let installs = is_web && ["python", "nodejs"].iter().any(|known| runtime.starts_with(known));
        if is_here && !is_file && !installs {
            not_built(page, properties, &runtime);
        }
    }
    if let Some(metadata) = metadata {
        build(page, metadata, method);
    }
    if in_front {
        contradictions(page, properties, wrapper.filter(|_| !is_managed), &adapter);
    }
    if in_front {
        in_front_of_the_app(page, variables.as_ref(), is_managed && !is_crate, &adapter);
        other_layers(page, &others);
    } else {
        let all: Vec<&Node> = layers.iter().flat_map(Node::each).collect();
        other_layers(page, &all);
        if let Some(layer) = adapter.first() {
            page.left(
                layer,
                "Layers",
                "the adapter's layer has no effect without `AWS_LAMBDA_EXEC_WRAPPER=/opt/bootstrap`",
                "turn `package` into `web`, and `handler` into `run`, if this is a web app",
            );
        }
    }
    in_front
}

/// What the template says of the adapter, and lamstream does otherwise.
fn contradictions(page: &mut Page<'_>, properties: &Properties, wrapper: Option<&str>, adapter: &[&Node]) {
    if let Some(wrapper) = wrapper.filter(|text| *text != "/opt/bootstrap") {
        let what = format!("the wrapper `{wrapper}` is started for managed runtimes alone");
        page.left(&properties.place, "Environment.Variables.AWS_LAMBDA_EXEC_WRAPPER", what, "leave it out");
    }
    let architecture = properties.peek("Architectures").and_then(|node| node.each().last().and_then(|one| one.text()));
    for layer in adapter {
        let is_arm = matches!(&layer.what, What::Text { text, .. } if text.contains("LambdaAdapterLayerArm64"));
        if is_arm != (architecture == Some("arm64")) {
            let what = "the adapter is one for another architecture than the function's, whose one lamstream takes";
            page.left(layer, "Layers", what, "see that `architecture` is the right one");
        }
    }
}

fn is_adapter(layer: &Node) -> bool {
    matches!(&layer.what, What::Text { text, .. } if text.contains(ADAPTER))
}

/// The directory, or the zip, relative to the manifest; and whether it is the template's own, and no proposal.
fn code(page: &mut Page<'_>, properties: &mut Properties) -> (String, bool) {
    let own = format!("code/{}", page.table.last().map(String::as_str).unwrap_or_default());
    if let Some(inline) = properties.take("InlineCode") {
        let advice = format!("write it into a file in the directory `{own}`");
        page.left(&inline, "InlineCode", "lamstream deploys directories and zips", advice);
        return (own, false);
    }
    let way = page.template.settings.way.clone();
    let Some(uri) = properties.take("CodeUri") else { return (from_here(&way, ""), true) };
    let far = uri.text().and_then(|text| text.split_once("://"));
    if uri.is_map() || far.is_some() {
        let place =
            far.map_or("S3".to_owned(), |(kind, _)| if kind == "s3" { "S3".into() } else { format!("`{kind}`") });
        let advice = format!("download it to `{own}.zip`");
        page.left(&uri, "CodeUri", format!("the code lies in {place}, and lamstream deploys what is here"), advice);
        return (format!("{own}.zip"), false);
    }
    let Some(text) = page.text(&uri, "CodeUri") else { return (own, false) };
    // `./app`, `.//app` and `app/.` are one directory.
    let clean: PathBuf = Path::new(&text).components().filter(|part| *part != Component::CurDir).collect();
    (from_here(&way, &clean.to_string_lossy()), true)
}

/// A path that is relative to the template, relative to the manifest.
fn from_here(way: &str, path: &str) -> String {
    let whole = Path::new(way).join(path).to_string_lossy().trim_end_matches('/').to_owned();
    if whole.is_empty() { ".".to_owned() } else { whole }
}

/// Lamstream's name for a crate's binary, and what it builds crates for.
fn crate_of(page: &mut Page<'_>, metadata: Option<&Node>, runtime: Option<&Node>, handler: Option<&Node>) {
    let binary = metadata.and_then(|node| node.at(&["BuildProperties", "Binary"]));
    if let Some(binary) = binary.and_then(|node| page.text(node, "Metadata.BuildProperties.Binary")) {
        page.key("bin", binary);
    }
    if let Some(node) = runtime.filter(|node| node.text() != Some(PROVIDED[0])) {
        let what = format!("a crate of lamstream's runs on `{}`", PROVIDED[0]);
        page.left(node, "Runtime", what, "see that nothing in it needs another system");
    }
    bootstrap_alone(page, handler);
}

fn start(page: &mut Page<'_>, properties: &Properties, runtime: &str, handler: Option<&Node>, in_front: bool) {
    let is_provided = runtime.starts_with("provided");
    if is_provided && !in_front {
        bootstrap_alone(page, handler);
        return;
    }
    if is_provided && handler.is_none_or(|node| node.text() == Some("bootstrap")) {
        return;
    }
    let (key, example) = if in_front { ("run", "run.sh") } else { ("handler", "main.handler") };
    let handler = handler_of(page, properties, handler, key);
    page.key(key, handler.unwrap_or_else(|| example.to_owned()));
}

/// On an operating system alone it is what the package calls `bootstrap` that runs, whatever the handler is called.
fn bootstrap_alone(page: &mut Page<'_>, handler: Option<&Node>) {
    let Some(node) = handler.filter(|node| node.text() != Some("bootstrap")) else { return };
    let Some(text) = page.text(node, "Handler") else { return };
    let what = format!("it is `{text}`, and what runs is the package's `bootstrap`, which is not told this name");
    page.left(node, "Handler", what, "see that `bootstrap` is there, and asks for no handler");
}

/// What starts the code, or a left-over that asks for it under `key`.
fn handler_of(page: &mut Page<'_>, properties: &Properties, handler: Option<&Node>, key: &str) -> Option<String> {
    match handler {
        Some(node) => page.text(node, "Handler"),
        None => {
            page.left(&properties.place, "Handler", "the template names none", format!("see that `{key}` is right"));
            None
        }
    }
}

fn not_built(page: &mut Page<'_>, properties: &Properties, runtime: &str) {
    let (what, advice) = if runtime.starts_with("provided") {
        (
            "`sam build` compiled it; lamstream zips the directory as it is",
            "build it before, and name the directory that holds `bootstrap` in `package`",
        )
    } else {
        (
            "`sam build` built it and installed its dependencies; lamstream zips the directory as it is",
            "install them into the directory before, or name one that a build made",
        )
    };
    page.left(&properties.place, "CodeUri", what, advice);
}

/// Writes a runtime that the manifest takes, and gives it.
fn write_runtime(page: &mut Page<'_>, properties: &Properties, runtime: Option<&Node>) -> String {
    const OTHER: &str = "provided.al2023";
    let Some(node) = runtime else {
        page.left(&properties.place, "Runtime", "the template names none", "see that `runtime` is the right one");
        page.key("runtime", OTHER);
        return OTHER.to_owned();
    };
    let text = page.text(node, "Runtime").unwrap_or_else(|| OTHER.to_owned());
    let is_version = |text: &str| {
        let text = text.strip_suffix(".al2").unwrap_or(text);
        text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_one = |(before, behind): &(&str, &str)| {
        text.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind)).is_some_and(is_version)
    };
    let is_known = PROVIDED.contains(&text.as_str()) || RUNTIMES.iter().any(is_one);
    let runtime = if is_known { text.as_str() } else { OTHER };
    if !is_known {
        let what = format!("AWS has no runtime `{text}` any more");
        page.left(node, "Runtime", what, format!("see that the function runs on `{runtime}`, or name another"));
    }
    page.key("runtime", runtime);
    runtime.to_owned()
}

fn build(page: &mut Page<'_>, metadata: &Node, method: &str) {
    for (name, node) in page.map(metadata, "Metadata").unwrap_or_default() {
        match (name.as_str(), method) {
            ("BuildMethod", "rust-cargolambda") => {}
            ("BuildProperties", "rust-cargolambda") => {
                let properties = page.map(node, "Metadata.BuildProperties").unwrap_or_default();
                for (key, value) in properties.iter().filter(|(key, _)| key != "Binary") {
                    let path = format!("Metadata.BuildProperties.{key}");
                    page.left(value, &path, "lamstream calls cargo itself", "see docs/building.md for what it chooses");
                }
            }
            ("BuildMethod", _) if page.text(node, "Metadata.BuildMethod").is_none() => {}
            ("BuildMethod", _) => {
                let what = format!("`sam build` made the code with `{method}`, and lamstream does not");
                page.left(node, "Metadata.BuildMethod", what, "make it before, and name what was made in `package`");
            }
            ("BuildProperties" | "SamResourceId" | "aws:asset:path", _) => {}
            _ => {
                let path = format!("Metadata.{name}");
                page.left(node, &path, "lamstream has no word for it", "leave it out, or do by hand what it stood for");
            }
        }
    }
}

/// One variable of several that mean the same: the adapter takes the first, and lamstream sets but one.
fn variable<'n>(page: &mut Page<'_>, variables: Option<&'n Node>, names: &[&str]) -> Option<(String, &'n Node)> {
    let mut given =
        names.iter().filter_map(|name| Some((format!("Environment.Variables.{name}"), variables?.get(name)?)));
    let first = given.next()?;
    for (path, other) in given.filter(|(_, other)| other.what != first.1.what) {
        let name = first.0.trim_start_matches("Environment.Variables.");
        let what = format!("the adapter goes by `{name}`, which says something else, and lamstream sets them both");
        page.left(other, &path, what, "give the app this value by a name of its own");
    }
    Some(first)
}

fn in_front_of_the_app(page: &mut Page<'_>, variables: Option<&Node>, is_web: bool, layers: &[&Node]) {
    let port = variable(page, variables, &["AWS_LWA_PORT", "AWS_LAMBDA_WEB_ADAPTER_PORT", "PORT"]);
    match port.map(|(path, node)| page.number(node, &path, 1..=65_535)) {
        Some(Some(port)) => page.key("port", port),
        // Without the key a crate or a package would not be known to be a server.
        _ if !is_web => page.key("port", 8080),
        _ => {}
    }
    let path = variable(page, variables, &["AWS_LWA_READINESS_CHECK_PATH", "READINESS_CHECK_PATH"]);
    if let Some(path) = path.and_then(|(path, node)| page.text(node, &path)) {
        page.key("readiness_path", path);
    }
    for second in layers.iter().skip(1) {
        page.left(second, "Layers", "it is a second adapter, and one stands before an app", "choose one of them");
    }
    let Some(What::Text { text, .. }) = layers.first().map(|layer| &layer.what) else { return };
    let version = text.rsplit_once(':').and_then(|(_, version)| version.parse::<i64>().ok());
    let is_awss = text.contains(PUBLISHER);
    match version.filter(|version| (1..=9_999).contains(version)) {
        Some(version) if is_awss => {
            page.comment("The Lambda Web Adapter, in the version of the template; lamstream sets its variables.");
            page.key("adapter_layer", version);
        }
        Some(_) if is_layer(text) => page.key("adapter_layer", text.as_str()),
        _ => page.left(layers[0], "Layers", "the adapter's version is not known", "name it in `adapter_layer`"),
    }
}

fn other_layers(page: &mut Page<'_>, layers: &[&Node]) {
    let mut known: Vec<toml::Value> = Vec::new();
    for layer in layers {
        match layer.text() {
            Some(text) if is_layer(text) => {
                let is_one = |text: &str| text.rsplit_once(':').map(|(layer, _)| layer.to_owned());
                match known.iter().find(|other| other.as_str().and_then(is_one) == is_one(text)) {
                    Some(same) if same.as_str() == Some(text) => {}
                    Some(_) => {
                        let what = format!("`{text}` is another version of a layer that is in `layers`");
                        page.left(layer, "Layers", what, "choose one of them");
                    }
                    None => known.push(text.into()),
                }
            }
            Some(text) => {
                let what = format!("`{text}` is no ARN of a layer's version");
                page.left(layer, "Layers", what, "write the ARN with its version into `layers`");
            }
            None => drop(page.text(layer, "Layers")),
        }
    }
    if !known.is_empty() {
        page.key("layers", known);
    }
}

fn is_layer(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    matches!(parts[..], ["arn", _, "lambda", region, account, "layer", name, version]
        if !region.is_empty() && account.len() == 12 && digits(account) && !name.is_empty() && digits(version))
}
