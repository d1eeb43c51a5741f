//! `samconfig.toml`: what `sam deploy` is told for each of its environments.

use super::draft::{LeftOver, NO_WORD, STILL_NEEDED};
use super::node::{Invalid, Node, What};
use super::template::Settings;
use super::yaml;
use std::collections::BTreeMap;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// About SAM's own way to deploy, which lamstream does not go.
const SAMS_OWN: [&str; 16] = [
    "capabilities",
    "confirm_changeset",
    "disable_rollback",
    "fail_on_empty_changeset",
    "force_upload",
    "image_repositories",
    "image_repository",
    "no_execute_changeset",
    "no_progressbar",
    "on_failure",
    "resolve_image_repos",
    "resolve_s3",
    "s3_prefix",
    "use_json",
    "debug",
    "max_wait_duration",
];

/// One environment of `samconfig.toml`.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    pub name: String,
    pub line: usize,
    pub settings: Settings,
    pub bucket: Option<String>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default)]
pub struct Config {
    pub environments: Vec<Environment>,
    pub left: Vec<LeftOver>,
}

impl Config {
    /// TOML, or YAML where the file's name says so.
    pub fn read(file: &str, text: &str, template: &str) -> Result<Config, Invalid> {
        let root = if file.ends_with(".toml") { toml_tree(file, text)? } else { yaml::read(file, text)? };
        let mut config = Config::default();
        for (name, node) in root.entries().iter().filter(|(_, node)| node.is_map()) {
            let mut environment = Environment { name: name.clone(), line: node.line, ..Environment::default() };
            for command in ["global", "deploy"] {
                let parameters = node.at(&[command, "parameters"]).map(Node::entries).unwrap_or_default();
                for (key, value) in parameters {
                    if environment.take(key, value) || SAMS_OWN.contains(&key.as_str()) {
                        continue;
                    }
                    let Some((what, advice)) = unknown(key, value, template) else { continue };
                    let path = format!("{name}.{command}.parameters.{key}");
                    config.left.push(LeftOver { file: file.to_owned(), line: value.line, path, what, advice });
                }
            }
            config.environments.push(environment);
        }
        Ok(config)
    }
}

impl Config {
    /// An environment whose stage would be another one's.
    pub fn same_stage(&self, file: &str, name: &str, same: &str, stage: &str) -> LeftOver {
        let line = self.environments.iter().find(|one| one.name == name).map_or(1, |one| one.line);
        LeftOver {
            file: file.to_owned(),
            line,
            path: name.to_owned(),
            what: format!("the environment would be the stage `{stage}`, and so would `{same}`"),
            advice: "rename one of them and import again".into(),
        }
    }
}

/// What to say of a parameter of SAM's; nothing of one that names the template at hand.
fn unknown(key: &str, value: &Node, template: &str) -> Option<(String, String)> {
    let advice = match key {
        "template" | "template_file" => {
            let named = value.text().unwrap_or_default();
            let is_this = Path::new(named).file_name().is_some_and(|name| name == template);
            let what = format!("`sam deploy` takes `{named}`, and this was imported from `{template}`");
            return (!is_this).then(|| {
                (
                    what,
                    format!(
                        "import that one if it is another: `lamstream import sam {}`",
                        shlex::try_quote(named).unwrap_or(named.into())
                    ),
                )
            });
        }
        "profile" => "say it with each command: `--profile NAME`",
        "role_arn" => "take credentials that may deploy, or a profile that assumes the role",
        _ => STILL_NEEDED,
    };
    Some((NO_WORD.to_owned(), advice.to_owned()))
}

impl Environment {
    fn take(&mut self, key: &str, value: &Node) -> bool {
        let text = value.text().map(str::to_owned);
        match key {
            "stack_name" => self.settings.stack_name = text,
            "region" => self.settings.region = text.filter(|region| !region.is_empty()),
            "s3_bucket" => self.bucket = text.filter(|bucket| !bucket.is_empty()),
            "parameter_overrides" => self.settings.parameters.extend(pairs(value)),
            "tags" => self.tags.extend(pairs(value)),
            _ => return false,
        }
        true
    }
}

/// `A=1 B="2 3"`, `ParameterKey=A,ParameterValue=1`, a list of those, or a map.
fn pairs(value: &Node) -> Vec<(String, String)> {
    if value.is_map() {
        let pair = |(name, node): &(String, Node)| Some((name.clone(), node.text()?.to_owned()));
        return value.entries().iter().filter_map(pair).collect();
    }
    let words = value.each().into_iter().filter_map(Node::text).flat_map(words);
    words.filter_map(|word| pair(&word)).collect()
}

fn pair(word: &str) -> Option<(String, String)> {
    if let Some(rest) = word.strip_prefix("ParameterKey=") {
        let (name, value) = rest.split_once(",ParameterValue=")?;
        return Some((name.to_owned(), value.to_owned()));
    }
    word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// Words as a shell reads them: blanks part them, quotes and backslashes hold them together.
fn words(text: &str) -> Vec<String> {
    let (mut all, mut word, mut quote, mut escaped, mut begun) = (Vec::new(), String::new(), None, false, false);
    for character in text.chars() {
        match character {
            _ if escaped => {
                word.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' | '\'' if quote == Some(character) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(character),
            blank if blank.is_whitespace() && quote.is_none() => {
                if begun {
                    all.push(std::mem::take(&mut word));
                }
                begun = false;
                continue;
            }
            other => word.push(other),
        }
        begun = true;
    }
    all.extend(begun.then_some(word));
    all
}

fn toml_tree(file: &str, text: &str) -> Result<Node, Invalid> {
    let place = |at: usize| {
        let before = &text[..at.min(text.len())];
        let line = before.matches('\n').count() + 1;
        (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
    };
    let table = DeTable::parse(text).map_err(|error| {
        let message = format!("this is no TOML: {}", error.message().replace('\n', "; "));
        Invalid::new(file, error.span().map(|span| place(span.start)), message)
            .hint(format!("correct `{file}`, or import where it is not beside the template"))
    })?;
    Ok(Node::new((1, 1), tree(&DeValue::Table(table.into_inner()), &place)))
}

fn tree(value: &DeValue<'_>, place: &impl Fn(usize) -> (usize, usize)) -> What {
    let at = |value: &Spanned<DeValue<'_>>| Node::new(place(value.span().start), tree(value.get_ref(), place));
    match value {
        DeValue::Table(table) => What::Map(
            table
                .iter()
                .map(|(name, value)| {
                    let node = tree(value.get_ref(), place);
                    (name.get_ref().to_string(), Node::new(place(name.span().start), node))
                })
                .collect(),
        ),
        DeValue::Array(items) => What::List(items.iter().map(at).collect()),
        DeValue::String(text) => Node::text_of(text.to_string()),
        DeValue::Boolean(truth) => Node::text_of(truth.to_string()),
        DeValue::Integer(number) => Node::text_of(number.to_string()),
        DeValue::Float(number) => Node::text_of(number.to_string()),
        DeValue::Datetime(time) => Node::text_of(time.to_string()),
    }
}
