//! A layer of the template whose content is beside it: how to publish it.

use super::build::quote;
use crate::node::Node;
use crate::writer::Writer;

/// The kinds of layers, and where each has its content.
const KINDS: [(&str, &str); 2] =
    [("AWS::Serverless::LayerVersion", "ContentUri"), ("AWS::Lambda::LayerVersion", "Content")];

/// Why a layer cannot be named yet, and the command that publishes it; `None` for any other reference.
pub(super) fn of(writer: &Writer<'_>, layer: &Node) -> Option<(String, String)> {
    let (_, unknown) = layer.partial_text()?;
    let name = unknown.first()?;
    let template = writer.values.template;
    let kind = template.type_of(name)?;
    let (_, property) = KINDS.iter().find(|(known, _)| *known == kind)?;
    let resource = template.root.at(&["Resources", name])?;
    let text = |keys: &[&str]| resource.at(keys).and_then(Node::text);
    let content = text(&["Properties", property]).filter(|content| !content.contains("://"))?;
    let content = writer.path_to(content.trim_end_matches('/'));
    let layer_name = text(&["Properties", "LayerName"]).unwrap_or(name);
    let (zip, make) = match content.ends_with(".zip") {
        true => (content, String::new()),
        false => {
            let zip = format!(".build/{name}.zip");
            let make = zipped(name, &content, text(&["Metadata", "BuildMethod"]).unwrap_or_default(), &zip);
            (zip, make + " && ")
        }
    };
    let publish = format!(
        "aws lambda publish-layer-version --layer-name {} --zip-file {} --query LayerVersionArn --output text",
        quote(layer_name),
        quote(&format!("fileb://{zip}"))
    );
    let what = format!("`{name}` is a layer beside the template, and lamstream deploys only published ones");
    Some((what, format!("publish it, and add the ARN that this prints to `layers`: `{make}{publish}`")))
}

/// A command that zips a layer as `sam build` does.
fn zipped(name: &str, content: &str, method: &str, zip: &str) -> String {
    let (from, output) = (quote(content), quote(&format!(".build/{name}")));
    let archive = |directory: &str| format!("(cd {directory} && zip -qr \"$OLDPWD\"/{} .)", quote(zip));
    let empty = format!("rm -rf {output} && mkdir -p {output}");
    let installed = match method {
        _ if method.starts_with("python") => {
            format!("python3 -m pip install -r {from}/requirements.txt --target {output}/python")
        }
        _ if method.starts_with("nodejs") => format!(
            "mkdir -p {output}/nodejs && cp {from}/package*.json {output}/nodejs && npm --prefix {output}/nodejs \
             install --omit=dev"
        ),
        "makefile" => format!("make -C {from} {} ARTIFACTS_DIR=\"$PWD\"/{output}", quote(&format!("build-{name}"))),
        _ => return format!("mkdir -p .build && {}", archive(&from)),
    };
    format!("{empty} && {installed} && {}", archive(&output))
}
