//! `FunctionUrlConfig`: the function's URL, and who may call it.

use super::events::{self, Auth, Gateway};
use super::properties::Properties;
use crate::draft::{self, STILL_NEEDED, UNSUPPORTED};
use crate::node::Node;
use crate::writer::Writer;
use toml::Value;

const METHODS: [&str; 7] = ["GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*"];

/// Writes the URL that the template gives the function, or else the one that replaces its API.
pub(super) fn read(writer: &mut Writer<'_>, properties: &mut Properties, has_adapter: bool, gateway: Option<Gateway>) {
    let mode_of_adapter = properties.variable("AWS_LWA_INVOKE_MODE").cloned();
    let Some(config) = properties.take("FunctionUrlConfig") else {
        if let Some(gateway) = gateway {
            let streams = mode_of_adapter.as_ref().and_then(Node::text).map(str::to_lowercase);
            let streams = has_adapter && streams.as_deref() == Some("response_stream");
            from_gateway(&mut writer.within("url", ""), &gateway, has_adapter, streams);
            return;
        }
        if let Some(set) = mode_of_adapter.filter(|set| has_adapter && set.text() != Some("buffered")) {
            let what = "the adapter follows the mode of the URL; without a URL it buffers";
            writer.left(&set, "Environment.Variables.AWS_LWA_INVOKE_MODE", what, "give the function a `url`");
        }
        writer.comment("The template has no URL for it. Uncomment this line to add a public one:");
        writer.disabled_key("url", draft::table([("auth", Value::from("none"))]));
        return;
    };
    if written(&mut writer.within("url", "FunctionUrlConfig"), &config, has_adapter, mode_of_adapter.as_ref()) {
        writer.comment("Uncomment this line to verify on each deploy that it streams:");
        writer.disabled_key("check", draft::table([("path", Value::from("/")), ("streams", true.into())]));
    }
}

/// Writes the template's URL. Returns whether it streams.
fn written(writer: &mut Writer<'_>, config: &Node, has_adapter: bool, mode_of_adapter: Option<&Node>) -> bool {
    if writer.fields(config, "", &["AuthType", "InvokeMode", "Cors"]).is_none() {
        without_auth(writer, config);
        return false;
    }
    let words = [("NONE", "none"), ("AWS_IAM", "aws-iam")];
    let auth = config.get("AuthType");
    if auth.is_none() {
        writer.block(config, "AuthType", "a URL requires it", "set `auth = \"none\"` or `auth = \"aws-iam\"`");
    }
    if !writer.word_key("auth", auth, "AuthType", &words) {
        without_auth(writer, config);
        return false;
    }
    let mode = mode(writer, config.get("InvokeMode"));
    let mode_of_adapter = mode_of_adapter.and_then(Node::text).map(str::to_lowercase);
    if has_adapter && mode_of_adapter.unwrap_or_else(|| "buffered".to_owned()) != mode.replace('-', "_") {
        let what = format!("lamstream gives the adapter the mode of the URL, `{mode}`, but the template sets another");
        writer.left(config, "InvokeMode", what, "check that the mode is the one you mean");
    }
    if let Some(cors) = config.get("Cors") {
        read_cors(writer, cors);
    }
    mode == "response-stream"
}

/// Writes a URL in place of an API. `streams`: the adapter streams.
fn from_gateway(writer: &mut Writer<'_>, gateway: &Gateway, has_adapter: bool, streams: bool) {
    writer.path = writer.path.trim_end_matches('.').to_owned();
    events::explain(writer, gateway, has_adapter);
    match &gateway.auth {
        Auth::Everyone => writer.key("auth", "none"),
        Auth::Iam => writer.key("auth", "aws-iam"),
        Auth::Other(other) => {
            let what = format!("{other} decides who may call, which a URL does not have");
            let advice = "uncomment `url` and its `auth` to allow only signed requests, or check callers in the app and set \"none\"";
            writer.block(&gateway.event, &format!("Events.{}", gateway.name), what, advice);
            writer.comment("Without `auth` the function has no URL.");
            writer.disabled_key("auth", "aws-iam");
            return;
        }
    }
    if !streams {
        writer.comment("As with API Gateway. Without this key the URL streams.");
        writer.key("mode", "buffered");
    }
    if let Some(cors) = &gateway.cors {
        read_cors(writer, cors);
    }
}

/// Without `auth` there is no URL, and its other keys would create one without a decision about who may call it.
fn without_auth(writer: &mut Writer<'_>, config: &Node) {
    writer.comment("Without `auth` the function has no URL: decide who may call it.");
    writer.disabled_key("auth", "aws-iam");
    for key in ["InvokeMode", "Cors"] {
        if let Some(node) = config.get(key) {
            writer.left(node, key, "applies to a URL, which needs `auth` first", "set it below `auth`");
        }
    }
}

fn mode(writer: &mut Writer<'_>, node: Option<&Node>) -> &'static str {
    let Some(node) = node else {
        writer.key("mode", "buffered");
        return "buffered";
    };
    match writer.text(node, "InvokeMode").as_deref() {
        Some("RESPONSE_STREAM") => return "response-stream",
        Some("BUFFERED") => {}
        Some(other) => {
            let what = format!("is `{other}`, expected `RESPONSE_STREAM` or `BUFFERED`");
            writer.left(node, "InvokeMode", what, "set the one you mean");
        }
        None => {}
    }
    writer.key("mode", "buffered");
    "buffered"
}

fn read_cors(writer: &mut Writer<'_>, cors: &Node) {
    let mut writer = writer.within("cors", "Cors");
    let mut any_origin = false;
    for (name, node) in writer.map(cors, "").unwrap_or_default() {
        let key = match name.as_str() {
            "AllowOrigins" => "allow_origins",
            "AllowMethods" => "allow_methods",
            "AllowHeaders" => "allow_headers",
            "ExposeHeaders" => "expose_headers",
            "MaxAge" => {
                writer.number_key("max_age", Some(node), name, 0..=86_400);
                continue;
            }
            "AllowCredentials" => continue,
            _ => {
                writer.left(node, name, UNSUPPORTED, STILL_NEEDED);
                continue;
            }
        };
        let Some(texts) = writer.texts(node, name) else { continue };
        let (known, strange): (Vec<String>, Vec<String>) = texts.into_iter().partition(|text| is_taken(key, text));
        for text in strange {
            let advice = match key {
                "allow_methods" => "leave it out: AWS answers `OPTIONS` itself",
                "allow_origins" => "set a scheme and a host, such as `https://example.com`",
                _ => "set names of headers",
            };
            writer.left(node, name, format!("AWS does not accept `{text}` here"), advice);
        }
        any_origin |= key == "allow_origins" && known.iter().any(|text| text == "*");
        if !known.is_empty() {
            writer.key(key, Value::Array(known.into_iter().map(Value::from).collect()));
        }
    }
    let Some(credentials) = cors.get("AllowCredentials") else { return };
    match writer.boolean(credentials, "AllowCredentials") {
        Some(true) if any_origin => {
            let what = "browsers send no cookies if any origin is allowed";
            writer.left(credentials, "AllowCredentials", what, "list the origins in `allow_origins`");
        }
        Some(truth) => writer.key("allow_credentials", truth),
        None => {}
    }
}

fn is_taken(key: &str, text: &str) -> bool {
    match key {
        "allow_methods" => METHODS.contains(&text.to_uppercase().as_str()),
        "allow_origins" => {
            let host = text.split_once("://").map(|(_, host)| host).unwrap_or_default();
            text == "*" || (!host.is_empty() && !host.contains(|c: char| c == '/' || c.is_whitespace()))
        }
        _ => text == "*" || (!text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))),
    }
}
