//! The layers of a function: the Lambda Web Adapter's, and the others.

use super::local_layer as local;
use super::properties::Properties;
use crate::node::Node;
use crate::writer::Writer;

/// The account that publishes the adapter's layers.
const PUBLISHER: &str = ":753240598075:";
const ADAPTER: &str = ":layer:LambdaAdapterLayer";
/// The adapter's variables for the app's port, and for the path that it polls; of each, the first one that is set counts.
pub(super) const PORTS: [&str; 3] = ["AWS_LWA_PORT", "AWS_LAMBDA_WEB_ADAPTER_PORT", "PORT"];
const READINESS: [&str; 2] = ["AWS_LWA_READINESS_CHECK_PATH", "READINESS_CHECK_PATH"];
const MODE: &str = "AWS_LWA_INVOKE_MODE";
const WRAPPER: &str = "AWS_LAMBDA_EXEC_WRAPPER";
/// Variables that lamstream itself sets for an app behind the adapter.
pub const ADAPTER_VARIABLES: [&str; 7] = [PORTS[0], PORTS[1], PORTS[2], READINESS[0], READINESS[1], MODE, WRAPPER];

pub(super) fn is_adapter(layer: &Node) -> bool {
    layer.partial_text().is_some_and(|(text, _)| text.contains(ADAPTER))
}

/// Reports settings of the adapter that lamstream handles differently.
pub(super) fn report_contradictions(
    writer: &mut Writer<'_>,
    properties: &Properties,
    wrapper: Option<&str>,
    adapter: &[&Node],
) {
    if let Some(wrapper) = wrapper.filter(|text| *text != "/opt/bootstrap") {
        let what = format!("only managed runtimes start the wrapper `{wrapper}`");
        writer.left(&properties.place, "Environment.Variables.AWS_LAMBDA_EXEC_WRAPPER", what, "leave it out");
    }
    let architecture = properties.peek("Architectures").and_then(|node| node.each().last().and_then(|one| one.text()));
    for layer in adapter {
        let is_arm = layer.partial_text().is_some_and(|(text, _)| text.contains("LambdaAdapterLayerArm64"));
        if is_arm != (architecture == Some("arm64")) {
            let what = "the adapter is for another architecture; lamstream uses the one for the function's";
            writer.left(layer, "Layers", what, "check that `architecture` is right");
        }
    }
}

/// The first of several variables that mean the same, as the adapter chooses; another value is reported.
fn variable<'n>(writer: &mut Writer<'_>, variables: Option<&'n Node>, names: &[&str]) -> Option<(String, &'n Node)> {
    let mut given =
        names.iter().filter_map(|name| Some((format!("Environment.Variables.{name}"), variables?.get(name)?)));
    let first = given.next()?;
    for (path, other) in given.filter(|(_, other)| other.content != first.1.content) {
        let name = first.0.trim_start_matches("Environment.Variables.");
        let what = format!("the adapter uses `{name}`, which has another value, and lamstream sets both");
        writer.left(other, &path, what, "pass this value to the app under another name");
    }
    Some(first)
}

/// Writes the keys of the adapter. `is_web`: the source is a `web` app.
pub(super) fn write_adapter(writer: &mut Writer<'_>, variables: Option<&Node>, is_web: bool, layers: &[&Node]) {
    let port = variable(writer, variables, &PORTS);
    match port.map(|(path, node)| writer.number(node, &path, 1..=65_535)) {
        Some(Some(port)) => writer.key("port", port),
        // Without the key a crate or a package would not be known to be a server.
        _ if !is_web => writer.key("port", 8080),
        _ => {}
    }
    let path = variable(writer, variables, &READINESS);
    if let Some(path) = path.and_then(|(path, node)| writer.text(node, &path)) {
        writer.key("readiness_path", path);
    }
    for second in layers.iter().skip(1) {
        writer.left(second, "Layers", "is a second adapter, but an app has one", "choose one of them");
    }
    let Some((text, _)) = layers.first().and_then(|layer| layer.partial_text()) else { return };
    let version = text.rsplit_once(':').and_then(|(_, version)| version.parse::<i64>().ok());
    let is_awss = text.contains(PUBLISHER);
    match version.filter(|version| (1..=9_999).contains(version)) {
        Some(version) if is_awss => {
            writer.comment("The version of the Lambda Web Adapter in the template; lamstream sets its variables.");
            writer.key("adapter_layer", version);
        }
        Some(_) if is_layer(text) => writer.key("adapter_layer", text),
        _ => writer.left(layers[0], "Layers", "the adapter's version is not known", "set it as `adapter_layer`"),
    }
}

/// Writes the layers other than the adapter's.
pub(super) fn write(writer: &mut Writer<'_>, layers: &[&Node]) {
    let mut known: Vec<toml::Value> = Vec::new();
    for layer in layers {
        match layer.text() {
            Some(text) if is_layer(text) => {
                let is_one = |text: &str| text.rsplit_once(':').map(|(layer, _)| layer.to_owned());
                match known.iter().find(|other| other.as_str().and_then(is_one) == is_one(text)) {
                    Some(same) if same.as_str() == Some(text) => {}
                    Some(_) => {
                        let what = format!("`{text}` is another version of a layer in `layers`");
                        writer.block(layer, "Layers", what, "choose one of them");
                    }
                    None => known.push(text.into()),
                }
            }
            Some(text) => {
                let what = format!("`{text}` is not the ARN of a layer's version");
                writer.block(layer, "Layers", what, "add the ARN with its version to `layers`");
            }
            None => match local::of(writer, layer) {
                Some((what, advice)) => writer.block(layer, "Layers", what, advice),
                None => drop(writer.text(layer, "Layers")),
            },
        }
    }
    if !known.is_empty() {
        writer.key("layers", known);
    }
}

fn is_layer(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    matches!(parts[..], ["arn", _, "lambda", region, account, "layer", name, version]
        if !region.is_empty() && account.len() == 12 && digits(account) && !name.is_empty() && digits(version))
}
