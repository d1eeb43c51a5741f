//! One `AWS::Serverless::Function` as a function of the manifest.

mod build;
mod command;
mod environment;
mod events;
mod image;
mod layers;
mod local_layer;
mod managed;
mod network;
mod policies;
mod properties;
mod proposal;
mod role;
mod source;
mod statement;
mod unsupported;
mod url;

use super::draft::{Draft, Entry, STILL_NEEDED, UNSUPPORTED};
use super::globals;
use super::input::Options;
use super::log_groups;
use super::node::{Content, Invalid, Node};
use super::resolve::Resolver;
use super::urls;
use super::writer::Writer;
use events::Apis;
pub(crate) use events::pass_everything_on;
pub use layers::ADAPTER_VARIABLES;
use properties::Properties;

/// Keys next to the properties that are read elsewhere, or that lamstream does not need.
const KNOWN_BESIDE: [&str; 6] = ["Type", "Properties", "Metadata", "Condition", "DependsOn", "IgnoreGlobals"];

/// Imports a function; `false` if its condition does not hold or lamstream cannot deploy it.
pub(crate) fn import(
    resolver: &mut Resolver<'_>,
    draft: &mut Draft,
    options: &Options<'_>,
    name: &str,
    resource: &Node,
) -> Result<bool, Invalid> {
    let condition = resource.get("Condition").map(|node| {
        let holds = resolver.condition(node.text().unwrap_or_default(), node);
        // A condition that CloudFormation would reject is as unknown as one that only AWS can evaluate.
        (node, holds.unwrap_or_default())
    });
    if let Some((condition, Some(false))) = condition {
        let condition = condition.text().unwrap_or_default();
        let text = format!("`{name}` is left out: its condition `{condition}` is false.");
        draft.push(&[], Entry::Comment(text));
        return Ok(false);
    }
    let mut properties = properties_of(resolver, name, resource)?;
    let metadata = resource.get("Metadata").map(|metadata| resolver.resolve(metadata));
    let around = Around {
        apis: Apis::read(resolver),
        log_group: log_groups::of(resolver.template, name).map(|(name, group)| (name.clone(), resolver.resolve(group))),
    };
    let path = format!("Resources.{name}");
    let mut writer = Writer { draft, values: resolver, options, table: Vec::new(), path, is_optional: false };
    let is_image = properties.peek("PackageType").and_then(Node::text) == Some("Image");
    let is_image = is_image || properties.peek("ImageUri").is_some();
    if is_image && !metadata.as_ref().is_some_and(image::is_built_here) {
        let what =
            "its container image is not built from a Dockerfile of the template, and lamstream deploys no images";
        writer.block(resource, "", what, "keep it in SAM, or deploy its app as a `web` function");
        return Ok(false);
    }
    writer.table = vec!["functions".to_owned(), name.to_owned()];
    if let Some((condition, None)) = condition {
        let (what, advice) = ("its condition cannot be evaluated here", "delete the function if it is false");
        writer.left(condition, "Condition", what, advice);
    }
    writer.path += ".Properties";
    let has_adapter = match metadata.as_ref().filter(|_| is_image) {
        Some(metadata) => image::read(&mut writer, &mut properties, metadata),
        None => source::read(&mut writer, &mut properties, metadata.as_ref()),
    };
    write(&mut writer, &mut properties, &around, has_adapter);
    writer.path = format!("Resources.{name}");
    if let Some(others) = resource.get("DependsOn") {
        let names = others.each().into_iter().filter_map(Node::text);
        let names = names.map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
        writer.comment(format!("`DependsOn` {names}: lamstream does not wait for other resources."));
    }
    for (key, node) in resource.entries().iter().filter(|(key, _)| !KNOWN_BESIDE.contains(&key.as_str())) {
        match key.as_str() {
            "Connectors" => writer.block(node, key, UNSUPPORTED, "grant what they allow with `role.statements`"),
            _ => writer.left(node, key, UNSUPPORTED, STILL_NEEDED),
        }
    }
    Ok(true)
}

fn properties_of(resolver: &mut Resolver<'_>, name: &str, resource: &Node) -> Result<Properties, Invalid> {
    let template = resolver.template;
    let nothing = resource.with(Content::Map(Vec::new()));
    let own = resource.get("Properties").filter(|node| !node.is_null()).unwrap_or(&nothing);
    if !own.is_map() {
        return Err(template.wrong(own, format!("the `Properties` of `{name}` are not a map")));
    }
    let globals = template.root.at(&["Globals", "Function"]).unwrap_or(&nothing);
    let globals = globals::without(globals, resource.get("IgnoreGlobals"));
    let resolved = resolver.resolve(&globals::merge(&globals, own));
    let mut properties = Properties::new(&resolved, own);
    if let Some((_, url)) = urls::of(template, name) {
        properties.add(urls::OWN, resolver.resolve(&urls::as_own(url)));
    }
    Ok(properties)
}

/// What the template says about a function outside of its resource.
struct Around {
    apis: Apis,
    /// The logical id and the resource, resolved.
    log_group: Option<(String, Node)>,
}

fn write(writer: &mut Writer<'_>, properties: &mut Properties, around: &Around, has_adapter: bool) {
    writer.is_optional = true;
    let description = properties.take("Description");
    if let Some((node, text)) = description.and_then(|node| writer.text(&node, "Description").map(|text| (node, text)))
    {
        match text.chars().count() {
            0..=256 => writer.key("description", text.trim()),
            length => {
                let what = format!("has {length} characters, but AWS accepts 256");
                writer.left(&node, "Description", what, "set a shorter one as `description`");
            }
        }
    }
    writer.is_optional = false;
    sizes(writer, properties);
    releases(writer, properties);
    network::read(writer, properties);
    let has_url = properties.peek("FunctionUrlConfig").is_some();
    let events = properties.take("Events");
    let gateway = events.and_then(|events| events::read(writer, &events, &around.apis, has_url));
    unsupported::report(writer, properties);
    if let Some(gateway) = gateway.as_ref().filter(|_| has_url) {
        events::explain(writer, gateway, has_adapter);
    }
    url::read(writer, properties, has_adapter, gateway);
    environment::read(writer, properties.take("Environment").as_ref(), has_adapter);
    log(writer, properties.take("LoggingConfig").as_ref(), around);
    role::read(writer, properties);
    tags(writer, properties.take("Tags").as_ref());
}

fn sizes(writer: &mut Writer<'_>, properties: &mut Properties) {
    let architectures = properties.take("Architectures");
    let words = [("x86_64", "x86_64"), ("arm64", "arm64")];
    let all = architectures.as_ref().map(Node::each).unwrap_or_default();
    let last = all.last().copied();
    if let Some(last) = last.filter(|last| all.iter().any(|one| one.content != last.content)) {
        let what = "lists several, but a function runs on one; SAM joins the lists of `Globals` and the function";
        writer.left(last, "Architectures", what, "check that `architecture`, the last of them, is right");
    }
    writer.word_key("architecture", last, "Architectures", &words);
    writer.number_key("memory", properties.take("MemorySize").as_ref(), "MemorySize", 128..=10_240);
    match properties.take("Timeout") {
        Some(timeout) => writer.number_key("timeout", Some(&timeout), "Timeout", 1..=1800),
        None => {
            writer.comment("AWS's default, which the template relies on. A stream must end by then.");
            writer.key("timeout", 3);
        }
    }
    let storage = properties.take("EphemeralStorage");
    if let Some(storage) = storage.as_ref().and_then(|node| writer.fields(node, "EphemeralStorage", &["Size"])) {
        writer.number_key("ephemeral_storage", storage.get("Size"), "EphemeralStorage.Size", 512..=10_240);
    }
    let reserved = properties.take("ReservedConcurrentExecutions");
    writer.number_key("concurrency", reserved.as_ref(), "ReservedConcurrentExecutions", 0..=i64::from(i32::MAX));
    let words = [("Active", "active"), ("PassThrough", "pass-through")];
    match properties.take("Tracing") {
        Some(tracing) if tracing.text() == Some("Disabled") => {
            let what = "lamstream supports `active` and `pass-through`";
            writer.left(&tracing, "Tracing", what, "check that `pass-through` will do");
        }
        tracing => drop(writer.word_key("tracing", tracing.as_ref(), "Tracing", &words)),
    }
}

fn releases(writer: &mut Writer<'_>, properties: &mut Properties) {
    let alias = properties.take("AutoPublishAlias");
    if let Some(alias) = &alias {
        if alias.text() == Some("live") {
            writer.comment("`AutoPublishAlias`: lamstream always publishes, and its alias is called `live`.");
        } else {
            let what = "lamstream always publishes, and its alias is called `live`";
            writer.left(alias, "AutoPublishAlias", what, "update whatever calls the function by another alias");
        }
    }
    const PROVISIONED: &str = "ProvisionedConcurrencyConfig";
    const NUMBER: &str = "ProvisionedConcurrentExecutions";
    let provisioned = properties.take(PROVISIONED);
    if let Some(provisioned) = provisioned.as_ref().and_then(|node| writer.fields(node, PROVISIONED, &[NUMBER])) {
        let property = format!("{PROVISIONED}.{NUMBER}");
        writer.number_key("provisioned_concurrency", provisioned.get(NUMBER), &property, 1..=i64::from(i32::MAX));
    }
    if let Some(snap_start) = properties.take("SnapStart") {
        snapshots(writer, &snap_start);
    }
    if let Some(preference) = properties.take("DeploymentPreference") {
        let kind = preference.get("Type").and_then(Node::text).unwrap_or("an unknown type");
        let what = format!("`{kind}` shifts traffic with CodeDeploy, and goes back on alarms");
        let flags = shift_like(kind).unwrap_or_else(|| "--shift 10 --for 10m".to_owned());
        let advice =
            format!("use `lamstream deploy {flags}`, or `rollout` in the manifest: its checks and errors decide");
        writer.left(&preference, "DeploymentPreference", what, advice);
    }
}

/// The options of a deploy that shifts the traffic as CodeDeploy does, for `Canary10Percent5Minutes` and
/// `Linear10PercentEvery1Minute`.
fn shift_like(kind: &str) -> Option<String> {
    let (rest, is_linear) = match kind.strip_prefix("Linear") {
        Some(rest) => (rest, true),
        None => (kind.strip_prefix("Canary")?, false),
    };
    let (percent, minutes) = rest.split_once("Percent")?;
    let minutes = minutes.trim_start_matches("Every").trim_end_matches("Minutes").trim_end_matches("Minute");
    let (percent, minutes): (usize, u32) = (percent.parse().ok()?, minutes.parse().ok()?);
    let steps = (1..=10).map(|nth| nth * percent).take_while(|step| (1..100).contains(step));
    let steps: Vec<String> = steps.take(if is_linear { 10 } else { 1 }).map(|step| step.to_string()).collect();
    (!steps.is_empty()).then(|| format!("--shift {} --for {minutes}m", steps.join(",")))
}

fn snapshots(writer: &mut Writer<'_>, snap_start: &Node) {
    let apply_on = writer.fields(snap_start, "SnapStart", &["ApplyOn"]).and_then(|node| node.get("ApplyOn"));
    let Some(apply_on) = apply_on else { return };
    match writer.text(apply_on, "SnapStart.ApplyOn").as_deref() {
        Some("PublishedVersions") => writer.key("snap_start", true),
        Some("None") | None => {}
        Some(other) => {
            let what = format!("is `{other}`, expected `PublishedVersions` or `None`");
            writer.left(apply_on, "SnapStart.ApplyOn", what, "set `snap_start` if you mean it");
        }
    }
}

fn log(writer: &mut Writer<'_>, logging: Option<&Node>, around: &Around) {
    if logging.is_none() && around.log_group.is_none() {
        return;
    }
    let mut writer = writer.within("log", "LoggingConfig");
    writer.is_optional = true;
    if let Some((name, group)) = &around.log_group {
        retention(&mut writer, name, group);
    }
    let Some(logging) = logging else { return };
    writer.word_key("format", logging.get("LogFormat"), "LogFormat", &[("Text", "text"), ("JSON", "json")]);
    let is_json = logging.get("LogFormat").and_then(Node::text) == Some("JSON");
    let entries = writer.map(logging, "").unwrap_or_default();
    for (name, node) in entries.iter().filter(|(name, _)| name != "LogFormat") {
        match name.as_str() {
            "ApplicationLogLevel" if is_json => drop(writer.word_key("level", Some(node), name, &LEVELS)),
            "SystemLogLevel" if is_json => drop(writer.word_key("system_level", Some(node), name, &LEVELS[1..4])),
            "ApplicationLogLevel" | "SystemLogLevel" => {
                writer.left(node, name, "applies only to JSON logs", "set `format = \"json\"`, too");
            }
            "LogGroup" if around.log_group.is_some() => {}
            "LogGroup" => {
                if let Some(group) = writer.text(node, name) {
                    writer.key("group", group);
                }
            }
            _ => writer.left(node, name, UNSUPPORTED, "decide in the app what it logs"),
        }
    }
}

const LEVELS: [(&str, &str); 6] = [
    ("TRACE", "trace"),
    ("DEBUG", "debug"),
    ("INFO", "info"),
    ("WARN", "warn"),
    ("ERROR", "error"),
    ("FATAL", "fatal"),
];

/// How long a log group of the template keeps its lines.
fn retention(writer: &mut Writer<'_>, name: &str, group: &Node) {
    writer.path = format!("Resources.{name}.Properties");
    writer.comment(format!("From `{name}`. lamstream creates a log group with a name of its own."));
    let properties = group.get("Properties");
    match properties.and_then(|node| node.get("RetentionInDays")) {
        Some(days) => writer.number_key("retention_days", Some(days), "RetentionInDays", 1..=3_653),
        None => writer.key("retention_days", "never"),
    }
    let entries = properties.map(Node::entries).unwrap_or_default();
    for (key, node) in entries.iter().filter(|(key, _)| !["LogGroupName", "RetentionInDays"].contains(&key.as_str())) {
        writer.left(node, key, UNSUPPORTED, STILL_NEEDED);
    }
    let table = writer.table.iter().rev().nth(1).cloned().unwrap_or_default();
    writer.path = format!("Resources.{table}.Properties.LoggingConfig");
}

fn tags(writer: &mut Writer<'_>, tags: Option<&Node>) {
    let Some(tags) = tags else { return };
    let mut writer = writer.within("tags", "Tags");
    writer.is_optional = true;
    for (name, node) in writer.map(tags, "").unwrap_or_default() {
        let lower = name.to_lowercase();
        let is_allowed = |text: &str| text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c));
        if lower.starts_with("aws:") || lower.starts_with("lamstream:") || !is_allowed(name) {
            writer.left(node, name, "not a valid name for a tag", "choose another name");
            continue;
        }
        match writer.text(node, name) {
            Some(value) if is_allowed(&value) && value.chars().count() <= 256 => writer.key(name, value),
            Some(_) => writer.left(node, name, "not a valid value for a tag", "use other characters"),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::shift_like;

    #[test]
    fn the_preferences_of_codedeploy_have_equivalents() {
        for (kind, flags) in [
            ("Canary10Percent5Minutes", Some("--shift 10 --for 5m")),
            ("Linear10PercentEvery1Minute", Some("--shift 10,20,30,40,50,60,70,80,90 --for 1m")),
            ("Linear40PercentEvery3Minutes", Some("--shift 40,80 --for 3m")),
            ("Canary0Percent5Minutes", None),
            ("AllAtOnce", None),
            ("an unknown type", None),
        ] {
            assert_eq!(shift_like(kind).as_deref(), flags, "{kind}");
        }
    }
}
