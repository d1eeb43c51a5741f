//! The text of the manifest for an app.

use super::found::{Found, Function, Port};
use super::route::{Check, CheckFound};
use super::tree::join;

/// The smallest manifest, as an example for messages.
pub const SMALLEST: &str = "app = \"shop\"\n\
                            [functions.chat]\n\
                            crate = \".\"\n\
                            url = { auth = \"none\" }\n\
                            check = { path = \"/\", streams = true }";

/// The manifest of an app with one function.
pub fn manifest(app: &str, found: &Found) -> String {
    let function = &found.function;
    let mut lines = vec![
        format!("# {}, found by `lamstream init`.", capitalised(&crate::text::line(&found.what))),
        format!("app = {}", quoted(app)),
        String::new(),
        format!("[functions.{}]", function_name(app, &function.name)),
    ];
    let directory = join(&found.directory, &function.packaged);
    let directory = if directory.is_empty() { "." } else { directory.trim_start_matches('/') };
    let directory = quoted(directory);
    lines.push(format!("{} = {directory}", if function.is_crate { "crate" } else { "web" }));
    lines.extend(keys(function));
    lines.extend(build(found));
    let mode = if function.is_buffered { ", mode = \"buffered\"" } else { "" };
    lines.push("# Public. With \"aws-iam\", callers have to sign their requests.".to_owned());
    lines.push(format!("url = {{ auth = \"none\"{mode} }}"));
    lines.extend(check(&function.check));
    lines.join("\n") + "\n"
}

/// The function's name, so that `APP-FUNCTION` is short enough and says more than the app.
fn function_name(app: &str, name: &str) -> String {
    const LONGEST: usize = 23;
    let fits = (1..=LONGEST).contains(&name.len()) && name != app;
    if fits { name.to_owned() } else { "api".to_owned() }
}

fn keys(function: &Function) -> Vec<String> {
    let key = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name} = {}", quoted(value)));
    let mut lines: Vec<String> = [
        key("bin", &function.bin),
        key("runtime", &function.runtime),
        key("run", &function.run),
        key("dependencies", &function.dependencies),
    ]
    .into_iter()
    .flatten()
    .collect();
    match function.port {
        Port::Fixed(port) => lines.push(format!("port = {port}")),
        // A crate without a port would be taken for a function of lambda_runtime.
        Port::FromVariable if function.is_crate && function.is_server => lines.push("port = 8080".to_owned()),
        Port::Unknown if function.is_crate => {
            lines.push("# The port that the app listens on. The app finds it in PORT, too.".to_owned());
            lines.push("port = 8080".to_owned());
        }
        Port::Unknown => {
            lines.push("# The port that the app listens on, if it does not read PORT.".to_owned());
            lines.push("#port = 3000".to_owned());
        }
        Port::FromVariable => {}
    }
    lines.extend(function.memory.map(|memory| format!("memory = {memory}")));
    let exclude: Vec<String> = function.exclude.iter().map(|name| (*name).to_owned()).collect();
    for (name, patterns) in [("include", &function.include), ("exclude", &exclude)] {
        let patterns: Vec<String> = patterns.iter().map(|pattern| quoted(pattern)).collect();
        if !patterns.is_empty() {
            lines.push(format!("{name} = [{}]", patterns.join(", ")));
        }
    }
    let environment: Vec<String> =
        function.environment.iter().map(|(name, value)| format!("{name} = {}", quoted(value))).collect();
    if !environment.is_empty() {
        lines.push(format!("environment = {{ {} }}", environment.join(", ")));
    }
    lines
}

fn build(found: &Found) -> Option<String> {
    let function = &found.function;
    let mut keys = Vec::new();
    let features: Vec<String> = function.features.iter().map(|feature| quoted(feature)).collect();
    if !features.is_empty() {
        keys.push(format!("features = [{}]", features.join(", ")));
    }
    if function.without_default_features {
        keys.push("default_features = false".to_owned());
    }
    if let Some(command) = &function.build {
        keys.push(format!("command = {}", quoted(command)));
        let directory = if found.directory.is_empty() { "." } else { &found.directory };
        keys.extend((!function.packaged.is_empty()).then(|| format!("directory = {}", quoted(directory))));
    }
    (!keys.is_empty()).then(|| format!("build = {{ {} }}", keys.join(", ")))
}

fn check(check: &CheckFound) -> Vec<String> {
    match check {
        CheckFound::Complete(check) => vec![format!("check = {}", inline(check))],
        CheckFound::Mcp(path) => vec![format!("check = {{ mcp = {} }}", quoted(path))],
        CheckFound::Incomplete(check) => vec![
            "# The source does not show all of the request that this route needs. Complete it, and enable the check."
                .to_owned(),
            format!("#check = {}", inline(check)),
        ],
        CheckFound::None => vec![
            "# A request that each new version must answer before it gets traffic.".to_owned(),
            "#check = { path = \"/\", streams = true }".to_owned(),
        ],
    }
}

fn inline(check: &Check) -> String {
    let table = |pairs: Vec<(&str, &str)>| {
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{} = {}", key(name), quoted(value))).collect();
        format!("{{ {} }}", pairs.join(", "))
    };
    let mut keys = Vec::new();
    if check.method != "GET" {
        keys.push(format!("method = {}", quoted(&check.method)));
    }
    keys.push(format!("path = {}", quoted(&check.path)));
    if !check.query.is_empty() {
        keys.push(format!(
            "query = {}",
            table(check.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect())
        ));
    }
    if !check.headers.is_empty() {
        keys.push(format!("headers = {}", table(check.headers.clone())));
    }
    keys.extend(check.body.as_ref().map(|body| format!("body = {}", quoted(body))));
    keys.extend(check.streams.then(|| "streams = true".to_owned()));
    format!("{{ {} }}", keys.join(", "))
}

fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// A string of TOML on one line.
fn quoted(text: &str) -> String {
    if text.contains('"') && !text.contains('\'') && !text.contains(char::is_control) {
        return format!("'{text}'");
    }
    let escaped: String = text
        .chars()
        .map(|letter| match letter {
            '"' | '\\' => format!("\\{letter}"),
            letter if letter.is_control() => format!("\\u{:04X}", letter as u32),
            letter => letter.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    #[test]
    fn every_kind_of_manifest_is_one_that_lamstream_reads() {
        let check = Check {
            method: "POST".into(),
            path: "/a".into(),
            query: vec![("a b".into(), "\"it's\"\\".into())],
            headers: vec![("content-type", "application/json")],
            body: Some("{\"a\":1}".into()),
            streams: true,
        };
        for check in [
            CheckFound::Complete(check.clone()),
            CheckFound::Mcp("/mcp".into()),
            CheckFound::Incomplete(check),
            CheckFound::None,
        ] {
            for port in [Port::FromVariable, Port::Fixed(3000), Port::Unknown] {
                for (is_crate, packaged) in [(true, ""), (false, ""), (false, "dist")] {
                    let function = Function {
                        name: "api".into(),
                        is_crate,
                        is_server: true,
                        bin: is_crate.then(|| "server".into()),
                        runtime: (!is_crate).then(|| "nodejs24.x".into()),
                        run: (!is_crate).then(|| "node \"a\".js".into()),
                        port,
                        packaged: packaged.into(),
                        build: (!is_crate).then(|| "npm ci && npm run 'build'".into()),
                        memory: Some(256),
                        exclude: if is_crate { vec![] } else { vec!["*.md"] },
                        check: check.clone(),
                        ..Function::default()
                    };
                    let found = Found { directory: "a".into(), what: "an app".into(), function, notes: vec![] };
                    let text = manifest("shop", &found);
                    let parsed = parse(&text, None).map_err(|problems| problems.render("deploy.toml", &text));
                    assert!(parsed.is_ok(), "{text}\n{}", parsed.unwrap_err());
                    // What is commented out can be enabled.
                    let enabled = text.replace("\n#check", "\ncheck").replace("\n#port", "\nport");
                    assert!(parse(&enabled, None).is_ok(), "{enabled}");
                }
            }
        }
        assert!(parse(SMALLEST, None).is_ok());
    }
}
