//! A checker that shares nothing with the import but the names of the adapter's variables: it reads the events of the YAML parser, and finds everything in a
//! template that neither the manifest, its comments nor the left-overs mention.
//!
//! `LAMSTREAM_TEMPLATES=DIRECTORY cargo test -p lamstream-import --test sam other` checks other people's templates, too.

use crate::lenient::Lenient;
use crate::support;
use import::{ADAPTER_VARIABLES, Imported, Options};
use saphyr_parser::{Event, Parser};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A value that is neither a map nor a list.
#[derive(Clone, Debug)]
struct Leaf {
    /// The keys that lead to it; lists have none.
    path: Vec<String>,
    line: usize,
    value: String,
    /// Whether CloudFormation computes it, here or in what contains it.
    is_computed: bool,
}

/// What an open map or list is about.
struct Open {
    is_map: bool,
    /// The key whose value comes next.
    key: Option<String>,
    is_computed: bool,
}

/// The leaves of a template; aliases have none of their own.
fn leaves(text: &str) -> Vec<Leaf> {
    let (mut open, mut all): (Vec<Open>, Vec<Leaf>) = (Vec::new(), Vec::new());
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        let is_computed = |open: &[Open], tag: bool| {
            let is_function = |key: &str| key == "Ref" || key.starts_with("Fn::") || key == "Condition";
            tag || open.iter().any(|one| one.is_computed || one.key.as_deref().is_some_and(is_function))
        };
        match event {
            Event::MappingStart(_, ref tag) | Event::SequenceStart(_, ref tag) => {
                let is_map = matches!(event, Event::MappingStart(..));
                let is_computed = is_computed(&open, tag.is_some());
                open.push(Open { is_map, key: None, is_computed });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
                done(&mut open);
            }
            Event::Alias(_) => done(&mut open),
            Event::Scalar(value, _, _, tag) => {
                if let Some(map) = open.last_mut().filter(|one| one.is_map && one.key.is_none()) {
                    map.key = Some(value.into_owned());
                    continue;
                }
                let path = open.iter().filter_map(|one| one.key.clone()).collect();
                let is_computed = is_computed(&open, tag.is_some_and(|tag| !tag.is_yaml_core_schema()));
                all.push(Leaf { path, line: span.start.line(), value: value.into_owned(), is_computed });
                done(&mut open);
            }
            _ => {}
        }
    }
    all
}

/// The value of the last key is complete.
fn done(open: &mut [Open]) {
    if let Some(map) = open.last_mut().filter(|one| one.is_map) {
        map.key = None;
    }
}

/// Letters and digits only, so that `RESPONSE_STREAM` is `response-stream`.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Values that the manifest has in another form: what lamstream does by itself, and defaults.
fn is_implied(leaf: &Leaf) -> bool {
    let key = leaf.path.last().map(String::as_str).unwrap_or_default();
    let value = leaf.value.as_str();
    match key {
        "PackageType" => ["Image", "Zip"].contains(&value),
        "Handler" => value == "bootstrap",
        "InvokeMode" => ["RESPONSE_STREAM", "BUFFERED"].contains(&value),
        "Runtime" => value.starts_with("provided"),
        "Layers" => value.contains(":layer:LambdaAdapterLayer"),
        "Effect" => value == "Allow",
        "Version" => value.starts_with("20"),
        "Ipv6AllowedForDualStack" | "AllowCredentials" => value.eq_ignore_ascii_case("false"),
        "BuildMethod" => ["rust-cargolambda", "makefile"].contains(&value),
        "Minify" | "Sourcemap" => value == "false",
        // Every role of lamstream may write its logs.
        "Policies" => value.ends_with("/AWSLambdaBasicExecutionRole"),
        "DockerTag" => true,
        "LogGroup" => true,
        _ => ADAPTER_VARIABLES.contains(&key) || plain(value).is_empty(),
    }
}

/// Everything that was dropped without a word, as `LINE: PATH = VALUE`.
fn dropped(template: &str, imported: &Imported) -> Vec<String> {
    let all = leaves(template);
    let manifest = plain(&imported.manifest);
    let kinds: BTreeMap<&str, &str> = all
        .iter()
        .filter(|leaf| leaf.path.len() == 3 && leaf.path[0] == "Resources" && leaf.path[2] == "Type")
        .map(|leaf| (leaf.path[1].as_str(), leaf.value.as_str()))
        .collect();
    let is_reported = |path: &str, line: usize| {
        let covers = |left: &str| path == left || path.strip_prefix(left).is_some_and(|rest| rest.starts_with('.'));
        imported.left_over.iter().any(|left| left.line == line || covers(&left.path))
    };
    let mut missing = Vec::new();
    for (name, _) in kinds.iter().filter(|(name, _)| !name.contains("${") && !name.contains("&{")) {
        let named = plain(name);
        if !manifest.contains(&named) {
            missing.push(format!("Resources.{name}"));
        }
    }
    for leaf in &all {
        let [section, name, part, ..] = leaf.path.as_slice() else { continue };
        let is_functions = kinds.get(name.as_str()) == Some(&"AWS::Serverless::Function") && section == "Resources";
        let is_its = is_functions && ["Properties", "Metadata"].contains(&part.as_str()) && leaf.path.len() > 3;
        let is_left_out = imported.manifest.contains(&format!("`{name}` is left out"));
        if !is_its || leaf.is_computed || is_left_out || is_implied(leaf) {
            continue;
        }
        let fetched = leaf.value.strip_prefix("{{resolve:").and_then(|rest| rest.split_once(':'));
        let fetched = fetched.map(|(_, name)| name.trim_end_matches("}}").trim_end_matches(":SecretString"));
        let value = plain(fetched.unwrap_or(&leaf.value));
        let key = leaf.path.last().map(|key| plain(key)).unwrap_or_default();
        let is_written = match value.len() {
            // A flag has no value.
            _ if value == "true" && manifest.contains(&key) => true,
            0..=2 => imported.manifest.contains(&format!("= {}", leaf.value)) || manifest.contains(&value),
            // A line end is written as `\n`.
            _ => manifest.contains(&value) || manifest.contains(&plain(&leaf.value.escape_default().to_string())),
        };
        let is_mentioned = leaf.path[3..].iter().any(|key| imported.manifest.contains(&format!("`{key}")));
        let path = leaf.path.join(".");
        if !is_written && !is_mentioned && !is_reported(&path, leaf.line) {
            missing.push(format!("{}: {path} = {}", leaf.line, leaf.value));
        }
    }
    missing
}

fn own() -> Vec<PathBuf> {
    support::templates(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"))
}

/// The templates below a directory, at any depth.
fn below(directory: &Path) -> Vec<PathBuf> {
    let mut open = vec![directory.to_owned()];
    let mut all = Vec::new();
    while let Some(directory) = open.pop() {
        for path in fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()) {
            let is_yaml = path.extension().is_some_and(|end| ["yaml", "yml"].iter().any(|known| end == *known));
            let is_sam = || fs::read_to_string(&path).is_ok_and(|text| text.contains("AWS::Serverless-2016-10-31"));
            if path.is_dir() {
                open.push(path);
            } else if is_yaml && is_sam() {
                all.push(path);
            }
        }
    }
    all.sort();
    all
}

#[test]
fn nothing_is_dropped_in_silence() {
    for path in own() {
        let template = fs::read_to_string(&path).unwrap();
        let imported = support::import(&path, &Lenient).unwrap();
        let missing = dropped(&template, &imported);
        assert!(missing.is_empty(), "{}: {missing:#?}\n{}", path.display(), imported.manifest);
    }
}

/// The checker itself: a manifest without a value that the template has.
#[test]
fn a_dropped_value_is_found() {
    let path = own().into_iter().find(|path| path.ends_with("01-web-app.yaml")).unwrap();
    let template = fs::read_to_string(&path).unwrap();
    let imported = support::import(&path, &Lenient).unwrap();
    let manifest = imported.manifest.replace("python3.9", "");
    let missing = dropped(&template, &Imported { manifest, ..imported });
    assert!(missing.len() == 1 && missing[0].ends_with("Runtime = python3.9"), "{missing:?}");
}

#[test]
#[expect(clippy::print_stdout, reason = "its figures are what it is run for")]
fn other_peoples_templates_are_checked_on_request() {
    let Some(directory) = std::env::var_os("LAMSTREAM_TEMPLATES") else { return };
    let (mut imported_count, mut wrong) = (0, Vec::new());
    let all = below(Path::new(&directory));
    for path in &all {
        let template = fs::read_to_string(path).unwrap();
        let files = support::Directory(path.parent().unwrap().to_owned());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let options = Options {
            app: "app",
            region: Some("eu-central-1"),
            account: Some("123456789012"),
            template_directory: "",
            rules: &Lenient,
            files: &files,
        };
        match import::sam(import::File { name: &name, text: &template }, None, options) {
            Ok(imported) => {
                imported_count += 1;
                wrong.extend(dropped(&template, &imported).iter().map(|one| format!("{}: {one}", path.display())));
            }
            Err(invalid) => println!("{}: {invalid}", path.display()),
        }
    }
    println!("{} templates, {imported_count} imported, {} values dropped", all.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
