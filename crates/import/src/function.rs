//! One `AWS::Serverless::Function` as a function of the manifest.

use super::draft::Draft;
use super::draft::Page;
use super::globals::merged;
use super::node::{Invalid, Node, What};
use super::rules::Rules;
use super::template::Template;
use super::{access, advice, environment, network, source, url};
use toml::Table;

/// The properties of a function, with `Globals` merged and everything resolved; each is taken once.
pub struct Properties {
    left: Vec<(String, Node)>,
    /// Where they stand, for what is missing.
    pub place: Node,
}

impl Properties {
    pub fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.left.iter().position(|(known, _)| known == name)?;
        Some(self.left.remove(at).1)
    }

    /// Of those that nobody took yet.
    pub fn names(&self) -> Vec<String> {
        self.left.iter().map(|(name, _)| name.clone()).collect()
    }

    pub fn peek(&self, name: &str) -> Option<&Node> {
        self.left.iter().find(|(known, _)| known == name).map(|(_, node)| node)
    }
}

/// Takes a function over; `false` where it cannot become one of lamstream's.
pub fn read(
    template: &Template,
    draft: &mut Draft,
    rules: &dyn Rules,
    name: &str,
    resource: &Node,
) -> Result<bool, Invalid> {
    let mut root = Page { draft, template, rules, table: Vec::new(), path: format!("Resources.{name}") };
    let mut condition_is_open = None;
    if let Some(condition) = resource.get("Condition") {
        match template.condition(condition.text().unwrap_or_default(), condition)? {
            Some(true) => {}
            Some(false) => {
                let condition = condition.text().unwrap_or_default();
                root.comment(format!("`{name}` is left out: its condition `{condition}` does not hold here."));
                return Ok(false);
            }
            None => condition_is_open = Some(condition.clone()),
        }
    }
    let nothing = resource.with(What::Map(Vec::new()));
    let own = resource.get("Properties").filter(|node| !node.is_null()).unwrap_or(&nothing);
    if !own.is_map() {
        return Err(template.wrong(own, format!("the `Properties` of `{name}` are no map, expected one")));
    }
    let globals = template.root.at(&["Globals", "Function"]).unwrap_or(&nothing);
    let globals = without(globals, resource.get("IgnoreGlobals"));
    let all = template.resolve(&merged(&globals, own))?;
    let mut properties = Properties { left: all.entries().to_vec(), place: own.with(What::Absent) };
    let is_image = properties.peek("PackageType").and_then(Node::text) == Some("Image");
    if is_image || properties.peek("ImageUri").is_some() {
        root.left(
            resource,
            "",
            "it is a container image, which lamstream does not deploy",
            "keep it in SAM, or deploy its app as a `web` function",
        );
        return Ok(false);
    }
    let path = format!("Resources.{name}.Properties");
    let table = vec!["functions".to_owned(), name.to_owned()];
    let mut page = Page { draft, template, rules, table, path };
    if let Some(condition) = condition_is_open {
        let (what, advice) = ("whether its condition holds is not known here", "delete the function if it does not");
        page.left(&condition, "Condition", what, advice);
    }
    let metadata = resource.get("Metadata").map(|metadata| template.resolve(metadata)).transpose()?;
    let in_front = source::read(&mut page, &mut properties, metadata.as_ref());
    write(&mut page, &mut properties, in_front);
    if let Some(others) = resource.get("DependsOn") {
        let names: Vec<String> =
            others.each().into_iter().filter_map(Node::text).map(|one| format!("`{one}`")).collect();
        page.comment(format!("`DependsOn` {}: lamstream waits for no other resource.", names.join(", ")));
    }
    for key in resource.entries().iter().filter(|(key, _)| !KNOWN_BESIDE.contains(&key.as_str())) {
        page.path = format!("Resources.{name}");
        page.left(&key.1, &key.0, "lamstream has no word for it", "see whether it is still needed");
    }
    Ok(true)
}

/// What stands beside the properties, and is looked at or means nothing to lamstream: it brings functions by itself.
const KNOWN_BESIDE: [&str; 6] = ["Type", "Properties", "Metadata", "Condition", "DependsOn", "IgnoreGlobals"];

/// `Globals` without those that the function does not want: `*`, or a list of properties.
fn without(globals: &Node, ignored: Option<&Node>) -> Node {
    let names: Vec<&str> = ignored.map(Node::each).unwrap_or_default().into_iter().filter_map(Node::text).collect();
    let stays = |(name, _): &&(String, Node)| !names.contains(&"*") && !names.contains(&name.as_str());
    // What is no map is merged into nothing, and told elsewhere.
    if globals.is_map() {
        globals.with(What::Map(globals.entries().iter().filter(stays).cloned().collect()))
    } else {
        globals.clone()
    }
}

fn write(page: &mut Page<'_>, properties: &mut Properties, in_front: bool) {
    let description = properties.take("Description");
    if let Some((node, text)) = description.and_then(|node| page.text(&node, "Description").map(|text| (node, text))) {
        match text.chars().count() {
            0..=256 => page.key("description", text.trim()),
            length => {
                let what = format!("it has {length} characters, and AWS takes 256");
                page.left(&node, "Description", what, "write a shorter one as `description`");
            }
        }
    }
    sizes(page, properties);
    releases(page, properties);
    network::read(page, properties);
    advice::leave_the_rest(page, properties);
    url::read(page, properties, in_front);
    environment::read(page, properties.take("Environment").as_ref(), in_front);
    log(page, properties.take("LoggingConfig").as_ref());
    access::read(page, properties);
    tags(page, properties.take("Tags").as_ref());
}

fn sizes(page: &mut Page<'_>, properties: &mut Properties) {
    let architectures = properties.take("Architectures");
    let words = [("x86_64", "x86_64"), ("arm64", "arm64")];
    let all = architectures.as_ref().map(Node::each).unwrap_or_default();
    let last = all.last().copied();
    if let Some(last) = last.filter(|last| all.iter().any(|one| one.what != last.what)) {
        let what = "it names several, and a function runs on one; lists of `Globals` and the function are put together";
        page.left(last, "Architectures", what, "see that `architecture`, the last of them, is the right one");
    }
    page.word_key("architecture", last, "Architectures", &words);
    page.number_key("memory", properties.take("MemorySize").as_ref(), "MemorySize", 128..=10_240);
    match properties.take("Timeout") {
        Some(timeout) => page.number_key("timeout", Some(&timeout), "Timeout", 1..=900),
        None => {
            page.comment("AWS's default, which the template relies on. A stream must be over by then.");
            page.key("timeout", 3);
        }
    }
    let storage = properties.take("EphemeralStorage");
    if let Some(storage) = storage.as_ref().and_then(|node| page.fields(node, "EphemeralStorage", &["Size"])) {
        page.number_key("ephemeral_storage", storage.get("Size"), "EphemeralStorage.Size", 512..=10_240);
    }
    let reserved = properties.take("ReservedConcurrentExecutions");
    page.number_key("concurrency", reserved.as_ref(), "ReservedConcurrentExecutions", 0..=i64::from(i32::MAX));
    let words = [("Active", "active"), ("PassThrough", "pass-through")];
    match properties.take("Tracing") {
        Some(tracing) if tracing.text() == Some("Disabled") => {
            page.left(&tracing, "Tracing", "lamstream has `active` and `pass-through`", "see that the latter will do");
        }
        tracing => drop(page.word_key("tracing", tracing.as_ref(), "Tracing", &words)),
    }
}

fn releases(page: &mut Page<'_>, properties: &mut Properties) {
    let alias = properties.take("AutoPublishAlias");
    if let Some(alias) = &alias {
        if alias.text() == Some("live") {
            page.comment("`AutoPublishAlias` is what lamstream always does: its alias is called `live`.");
        } else {
            let what = "lamstream publishes each deploy too, and its alias is always called `live`";
            page.left(alias, "AutoPublishAlias", what, "change what calls the function by another alias");
        }
    }
    const PROVISIONED: &str = "ProvisionedConcurrencyConfig";
    const NUMBER: &str = "ProvisionedConcurrentExecutions";
    let provisioned = properties.take(PROVISIONED);
    if let Some(provisioned) = provisioned.as_ref().and_then(|node| page.fields(node, PROVISIONED, &[NUMBER])) {
        let property = format!("{PROVISIONED}.{NUMBER}");
        page.number_key("provisioned_concurrency", provisioned.get(NUMBER), &property, 1..=i64::from(i32::MAX));
    }
    if let Some(preference) = properties.take("DeploymentPreference") {
        let kind = preference.get("Type").and_then(Node::text).unwrap_or("a kind that is not known");
        let what = format!("`{kind}` shifts the traffic by CodeDeploy, and lamstream does it by command");
        let advice = "`lamstream deploy --shift 10`, then `lamstream promote` or `lamstream abort`";
        page.left(&preference, "DeploymentPreference", what, advice);
    }
}

fn log(page: &mut Page<'_>, logging: Option<&Node>) {
    let Some(logging) = logging else { return };
    let mut page = page.within("log", "LoggingConfig");
    page.word_key("format", logging.get("LogFormat"), "LogFormat", &[("Text", "text"), ("JSON", "json")]);
    let entries = page.map(logging, "").unwrap_or_default();
    for (name, node) in entries.iter().filter(|(name, _)| name != "LogFormat") {
        let (what, advice) = match name.as_str() {
            "LogGroup" => ("lamstream makes a log group of its own for each function", "read it with `lamstream logs`"),
            _ => ("lamstream has no word for it", "let the app itself decide what it logs"),
        };
        page.left(node, name, what, advice);
    }
}

fn tags(page: &mut Page<'_>, tags: Option<&Node>) {
    let Some(tags) = tags else { return };
    let mut page = page.within("tags", "Tags");
    for (name, node) in page.map(tags, "").unwrap_or_default() {
        let lower = name.to_lowercase();
        let is_allowed = |text: &str| text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c));
        if lower.starts_with("aws:") || lower.starts_with("lamstream:") || !is_allowed(name) {
            page.left(node, name, "this name of a tag is not taken", "choose another name");
            continue;
        }
        match page.text(node, name) {
            Some(value) if is_allowed(&value) && value.chars().count() <= 256 => page.key(name, value),
            Some(_) => page.left(node, name, "IAM takes no such value of a tag", "write it with other characters"),
            None => {}
        }
    }
}

/// A table of TOML from pairs.
pub fn table(pairs: impl IntoIterator<Item = (String, toml::Value)>) -> Table {
    pairs.into_iter().collect()
}
