//! `FunctionUrlConfig`: the function's address, and who may use it.

use super::draft::Page;
use super::function::Properties;
use super::node::Node;
use toml::Value;

const METHODS: [&str; 7] = ["GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*"];

pub fn read(page: &mut Page<'_>, properties: &mut Properties, in_front: bool) {
    let variables = properties.peek("Environment").and_then(|node| node.get("Variables"));
    let told = variables.and_then(|node| node.get("AWS_LWA_INVOKE_MODE")).cloned();
    let Some(config) = properties.take("FunctionUrlConfig") else {
        if let Some(told) = told.filter(|told| in_front && told.text() != Some("buffered")) {
            let what = "the adapter answers as the URL does, and without one its answers are buffered";
            page.left(&told, "Environment.Variables.AWS_LWA_INVOKE_MODE", what, "give the function a `url`");
        }
        page.comment("The template gives it no address; `url = { auth = \"none\" }` would, for everybody.");
        return;
    };
    let mut page = page.within("url", "FunctionUrlConfig");
    if page.fields(&config, "", &["AuthType", "InvokeMode", "Cors"]).is_none() {
        undecided(&mut page, &config);
        return;
    }
    let words = [("NONE", "none"), ("AWS_IAM", "aws-iam")];
    let auth = config.get("AuthType");
    if auth.is_none() {
        page.left(&config, "AuthType", "a URL needs it", "write `auth = \"none\"` or `auth = \"aws-iam\"`");
    }
    if !page.word_key("auth", auth, "AuthType", &words) {
        undecided(&mut page, &config);
        return;
    }
    let mode = mode(&mut page, config.get("InvokeMode"));
    let told = told.as_ref().and_then(Node::text).map(str::to_lowercase);
    if in_front && told.unwrap_or_else(|| "buffered".to_owned()) != mode.replace('-', "_") {
        let what = format!("lamstream tells the adapter the mode of the URL, `{mode}`, and the template another");
        page.left(&config, "InvokeMode", what, "see that the mode is the one that you mean");
    }
    if mode == "response-stream" {
        page.comment(
            "A check proves with each deploy that it streams: `check = { path = \"/\", streams = true }` under the \
             function.",
        );
    }
    if let Some(cors) = config.get("Cors") {
        read_cors(&mut page, cors);
    }
}

/// The page of a URL that there may not be; what else is said of it would be in force without it.
fn undecided(page: &mut Page<'_>, config: &Node) {
    page.comment("Without it the function has no address: who may call it is somebody's decision.");
    page.key_off("auth", "aws-iam");
    for key in ["InvokeMode", "Cors"] {
        if let Some(node) = config.get(key) {
            page.left(node, key, "it is about a URL, and who may call that one is not known", "write it behind `auth`");
        }
    }
}

fn mode(page: &mut Page<'_>, node: Option<&Node>) -> &'static str {
    let Some(node) = node else {
        page.key("mode", "buffered");
        return "buffered";
    };
    match page.text(node, "InvokeMode").as_deref() {
        Some("RESPONSE_STREAM") => return "response-stream",
        Some("BUFFERED") => {}
        Some(other) => {
            let what = format!("it is `{other}`, expected `RESPONSE_STREAM` or `BUFFERED`");
            page.left(node, "InvokeMode", what, "write the one you mean");
        }
        None => {}
    }
    page.key("mode", "buffered");
    "buffered"
}

fn read_cors(page: &mut Page<'_>, cors: &Node) {
    let mut page = page.within("cors", "Cors");
    let mut any_origin = false;
    for (name, node) in page.map(cors, "").unwrap_or_default() {
        let key = match name.as_str() {
            "AllowOrigins" => "allow_origins",
            "AllowMethods" => "allow_methods",
            "AllowHeaders" => "allow_headers",
            "ExposeHeaders" => "expose_headers",
            "MaxAge" => {
                page.number_key("max_age", Some(node), name, 0..=86_400);
                continue;
            }
            "AllowCredentials" => continue,
            _ => {
                page.left(node, name, "lamstream has no word for it", "see whether it is still needed");
                continue;
            }
        };
        let Some(texts) = page.texts(node, name) else { continue };
        let (known, strange): (Vec<String>, Vec<String>) = texts.into_iter().partition(|text| is_taken(key, text));
        for text in strange {
            let advice = match key {
                "allow_methods" => "leave it out: AWS answers `OPTIONS` itself",
                "allow_origins" => "write a scheme and a host, such as `https://example.com`",
                _ => "write names of headers",
            };
            page.left(node, name, format!("AWS takes no `{text}` here"), advice);
        }
        any_origin |= key == "allow_origins" && known.iter().any(|text| text == "*");
        if !known.is_empty() {
            page.key(key, Value::Array(known.into_iter().map(Value::from).collect()));
        }
    }
    let Some(credentials) = cors.get("AllowCredentials") else { return };
    match page.truth(credentials, "AllowCredentials") {
        Some(true) if any_origin => {
            let what = "browsers send no cookies where any origin is allowed";
            page.left(credentials, "AllowCredentials", what, "name the origins in `allow_origins`");
        }
        Some(truth) => page.key("allow_credentials", truth),
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
