//! `samconfig.toml`: the parameters of `sam deploy` for each environment.

use super::draft::{LeftOver, STILL_NEEDED, UNSUPPORTED};
use super::input::File;
use super::node::{Content, Invalid, Node};
use super::resolve::Settings;
use super::yaml;
use std::collections::BTreeMap;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Parameters of how SAM itself deploys, which do not concern lamstream.
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
pub(crate) struct Environment {
    pub name: String,
    pub line: usize,
    pub settings: Settings,
    pub bucket: Option<String>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub file: String,
    pub environments: Vec<Environment>,
    pub left_over: Vec<LeftOver>,
}

impl Config {
    /// TOML, or YAML where the file's name says so.
    pub(crate) fn read(config: File<'_>, template: &str) -> Result<Config, Invalid> {
        let File { name: file, text } = config;
        let root = if file.ends_with(".toml") { toml_tree(file, text)? } else { yaml::read(file, text)?.0 };
        let mut config = Config { file: file.to_owned(), ..Config::default() };
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
                    let (file, line) = (file.to_owned(), value.line);
                    config.left_over.push(LeftOver { file, line, path, what, advice, blocks: false });
                }
            }
            config.environments.push(environment);
        }
        Ok(config)
    }

    /// Reports an environment that would become the same stage as another one.
    pub(crate) fn same_stage(&self, environment: &Environment, same: &str, stage: &str) -> LeftOver {
        LeftOver {
            file: self.file.clone(),
            line: environment.line,
            path: environment.name.clone(),
            what: format!("this environment would become the stage `{stage}`, and so would `{same}`"),
            advice: "rename one of them and import again".into(),
            blocks: true,
        }
    }
}

/// The reason and the advice for another parameter; `None` for the name of this template.
fn unknown(key: &str, value: &Node, template: &str) -> Option<(String, String)> {
    let advice = match key {
        "template" | "template_file" => {
            let named = value.text().unwrap_or_default();
            let is_this = Path::new(named).file_name().is_some_and(|name| name == template);
            let what = format!("`sam deploy` uses `{named}`, but this manifest was imported from `{template}`");
            return (!is_this).then(|| {
                (
                    what,
                    format!(
                        "if that is another template, import it: `lamstream import sam {}`",
                        shlex::try_quote(named).unwrap_or(named.into())
                    ),
                )
            });
        }
        "profile" => "pass it to each command: `--profile NAME`",
        "role_arn" => "use credentials that may deploy, or a profile that assumes the role",
        _ => STILL_NEEDED,
    };
    Some((UNSUPPORTED.to_owned(), advice.to_owned()))
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

/// Words as a shell reads them: separated by spaces, unless quotes or backslashes keep them together.
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
        let message = format!("not valid TOML: {}", error.message().replace('\n', "; "));
        Invalid::new(file, error.span().map(|span| place(span.start)), message)
            .hint(format!("correct `{file}`, or move it away from the template"))
    })?;
    Ok(Node::new((1, 1), tree(&DeValue::Table(table.into_inner()), &place)))
}

fn tree(value: &DeValue<'_>, place: &impl Fn(usize) -> (usize, usize)) -> Content {
    let at = |value: &Spanned<DeValue<'_>>| Node::new(place(value.span().start), tree(value.get_ref(), place));
    match value {
        DeValue::Table(table) => Content::Map(
            table
                .iter()
                .map(|(name, value)| {
                    let node = tree(value.get_ref(), place);
                    (name.get_ref().to_string(), Node::new(place(name.span().start), node))
                })
                .collect(),
        ),
        DeValue::Array(items) => Content::List(items.iter().map(at).collect()),
        DeValue::String(text) => Content::text(text.to_string()),
        DeValue::Boolean(truth) => Content::text(truth.to_string()),
        DeValue::Integer(number) => Content::text(number.to_string()),
        DeValue::Float(number) => Content::text(number.to_string()),
        DeValue::Datetime(time) => Content::text(time.to_string()),
    }
}
