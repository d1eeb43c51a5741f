//! The stages of a Dockerfile, each with what it copies, runs, sets and starts.

use super::syntax::{Instruction, Start, parse};
use std::collections::BTreeMap;

/// Docker allows more. Real Dockerfiles have some dozens, and each stage on another one repeats its instructions.
const MOST_INSTRUCTIONS: usize = 5_000;
/// Where Lambda's own base images expect the code.
const TASK_ROOT: (&str, &str) = ("LAMBDA_TASK_ROOT", "/var/task");

/// What one stage becomes, including the stage that it is based on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Built {
    /// The image at the bottom, such as `python:3.13-slim`; empty for an unknown one.
    pub image: String,
    /// The line of its `FROM`.
    pub image_line: usize,
    pub platform: Option<String>,
    /// In order; a later value replaces an earlier one.
    pub environment: Vec<(String, String)>,
    pub directory: String,
    pub copies: Vec<Copy>,
    pub runs: Vec<Run>,
    pub entrypoint: Option<Start>,
    pub command: Option<Start>,
    /// The line of its last `CMD` or `ENTRYPOINT`.
    pub start_line: Option<usize>,
    pub ports: Vec<u16>,
    /// Instructions that Lambda ignores, such as `USER`: line and name.
    pub ignored: Vec<(usize, String)>,
    /// Instructions that are not known: line, name and text.
    pub unknown: Vec<(usize, String, String)>,
    arguments: BTreeMap<String, String>,
}

/// A `COPY` or an `ADD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    pub line: usize,
    pub from: Origin,
    /// Relative to the origin's root, without `./` and slashes around it; empty for the root.
    pub sources: Vec<String>,
    /// An absolute path.
    pub target: String,
    /// Whether the target is a directory in any case.
    pub is_into: bool,
}

/// Where a copy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Context,
    /// An earlier stage, by number.
    Stage(usize),
    /// Another image.
    Image(String),
    /// A here-document or an address.
    Elsewhere,
}

/// A `RUN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub line: usize,
    /// An absolute path.
    pub directory: String,
    pub text: String,
}

/// The stages of a Dockerfile, and the number of the one that the image is made of. `arguments` are the values of
/// `ARG`s that the build sets. `None` if no stage can be found.
pub(crate) fn build(
    text: &str,
    target: Option<&str>,
    arguments: &BTreeMap<String, String>,
) -> Option<(Vec<Built>, usize)> {
    let mut stages: Vec<Built> = Vec::new();
    let mut names: Vec<Option<String>> = Vec::new();
    let mut global = BTreeMap::new();
    let instructions = parse(text);
    for instruction in instructions.iter().take(MOST_INSTRUCTIONS) {
        if instruction.name == "FROM" {
            let text = expand(&instruction.text, &|name| global.get(name).cloned());
            let words: Vec<&str> = text.split_whitespace().collect();
            let image = words.first().copied().unwrap_or_default();
            let number = names.iter().position(|name| name.as_deref() == Some(&image.to_lowercase()));
            let base = number.and_then(|number| stages.get(number).cloned());
            let fresh = || Built {
                image: image.to_owned(),
                image_line: instruction.line,
                directory: "/".to_owned(),
                ..Built::default()
            };
            let mut stage = base.unwrap_or_else(fresh);
            let platform = instruction.flag("platform").map(|text| expand(text, &|name| global.get(name).cloned()));
            stage.platform = platform.or(stage.platform);
            stage.arguments = BTreeMap::new();
            if is_lambdas(&stage.image) && stage.directory == "/" {
                stage.directory = TASK_ROOT.1.to_owned();
            }
            stages.push(stage);
            let is_named = words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("as"));
            names.push(words.get(2).filter(|_| is_named).map(|name| name.to_lowercase()));
        } else if let Some(stage) = stages.last_mut() {
            stage.apply(instruction, &names, (&global, arguments));
        } else if instruction.name == "ARG" {
            let (name, default) = instruction.text.split_once('=').unwrap_or((&instruction.text, ""));
            let value = arguments.get(name).cloned().unwrap_or_else(|| unquoted(default));
            global.insert(name.to_owned(), value);
        }
    }
    let named = target.and_then(|target| names.iter().position(|name| name.as_deref() == Some(target)));
    let last = stages.len().checked_sub(1)?;
    Some((stages, named.unwrap_or(last)))
}

/// Whether it is one of Lambda's own base images.
pub(crate) fn is_lambdas(image: &str) -> bool {
    image.contains("/lambda/") || image.starts_with("amazon/aws-lambda-")
}

impl Built {
    fn apply(
        &mut self,
        instruction: &Instruction,
        names: &[Option<String>],
        (global, set): (&BTreeMap<String, String>, &BTreeMap<String, String>),
    ) {
        let Instruction { line, name, text, .. } = instruction;
        match name.as_str() {
            "ENV" => {
                for (name, value) in pairs(text) {
                    let value = self.expanded(&value);
                    self.environment.retain(|(known, _)| *known != name);
                    self.environment.push((name, value));
                }
            }
            "ARG" => {
                for word in text.split_whitespace() {
                    let (name, default) =
                        word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
                    let default = default.map(unquoted).or_else(|| global.get(name).cloned());
                    let value = set.get(name).cloned().or(default).unwrap_or_default();
                    self.arguments.insert(name.to_owned(), value);
                }
            }
            "WORKDIR" => self.directory = self.absolute(&unquoted(text)),
            "COPY" | "ADD" => self.copy(instruction, names),
            "RUN" => {
                let text = [std::slice::from_ref(text), &instruction.documents].concat();
                let text = if text.len() > 1 { text[1..].join("\n") } else { text.concat() };
                self.runs.push(Run { line: *line, directory: self.directory.clone(), text });
            }
            "CMD" => {
                self.command = Some(instruction.start());
                self.start_line = Some(*line);
            }
            "ENTRYPOINT" => {
                self.entrypoint = Some(instruction.start());
                self.command = None;
                self.start_line = Some(*line);
            }
            "EXPOSE" => {
                let ports = self.expanded(text);
                let ports = ports.split_whitespace().filter_map(|port| port.split('/').next()?.parse::<u16>().ok());
                self.ports.extend(ports);
            }
            "USER" | "HEALTHCHECK" | "LABEL" | "MAINTAINER" | "VOLUME" | "STOPSIGNAL" | "SHELL" | "ONBUILD" => {
                self.ignored.push((*line, name.clone()));
            }
            _ => self.unknown.push((*line, name.clone(), text.clone())),
        }
    }

    fn copy(&mut self, instruction: &Instruction, names: &[Option<String>]) {
        let mut arguments: Vec<String> = instruction.arguments().iter().map(|text| self.expanded(text)).collect();
        let Some(target) = arguments.pop() else { return };
        let from = match instruction.flag("from") {
            Some(name) => {
                let name = self.expanded(name);
                let number = names.iter().position(|known| known.as_deref() == Some(&name.to_lowercase()));
                let number = number.or_else(|| name.parse().ok().filter(|number| *number < names.len()));
                number.map_or(Origin::Image(name), Origin::Stage)
            }
            None if !instruction.documents.is_empty() || arguments.iter().any(|source| source.contains("://")) => {
                Origin::Elsewhere
            }
            None => Origin::Context,
        };
        let is_into = target.ends_with('/') || target == "." || arguments.len() > 1;
        let is_inside = from == Origin::Context;
        let clean = |source: &String| {
            if is_inside { normal(source).trim_start_matches('/').to_owned() } else { normal(source) }
        };
        let sources = arguments.iter().map(clean).collect();
        let target = self.absolute(&target);
        self.copies.push(Copy { line: instruction.line, from, sources, target, is_into });
    }

    /// The value of a variable, in the order in which Docker looks for it.
    fn value(&self, name: &str) -> Option<String> {
        let set = self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        set.or_else(|| self.arguments.get(name).cloned())
            .or_else(|| (name == TASK_ROOT.0).then(|| TASK_ROOT.1.to_owned()))
    }

    fn expanded(&self, text: &str) -> String {
        expand(text, &|name| self.value(name))
    }

    fn absolute(&self, path: &str) -> String {
        let path = self.expanded(path);
        let whole = if path.starts_with('/') { path } else { format!("{}/{path}", self.directory) };
        format!("/{}", normal(&whole).trim_start_matches('/'))
    }
}

/// A path without `.`, `..`, empty parts and a slash at its end.
pub(super) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." if !parts.is_empty() => drop(parts.pop()),
            ".." => {}
            part => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    let is_quoted = |quote: char| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    if is_quoted('"') || is_quoted('\'') { text[1..text.len() - 1].to_owned() } else { text.to_owned() }
}

/// `A=1 B="2 3"`, or the old form `A 1 2`.
fn pairs(text: &str) -> Vec<(String, String)> {
    let first = text.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let (name, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        return vec![(name.to_owned(), value.trim().to_owned())];
    }
    let words = shlex::split(text).unwrap_or_else(|| text.split_whitespace().map(str::to_owned).collect());
    let pair = |word: String| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    words.into_iter().filter_map(pair).collect()
}

/// Replaces `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`; an unknown variable is empty.
fn expand(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        if rest[..at].ends_with('\\') {
            out += &rest[..at - 1];
            out.push('$');
            rest = &rest[at + 1..];
            continue;
        }
        out += &rest[..at];
        let after = &rest[at + 1..];
        let (name, end) = match after.strip_prefix('{') {
            Some(braced) => match braced.find('}') {
                Some(end) => (&braced[..end], end + 2),
                None => (braced, after.len()),
            },
            None => {
                let end = after.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
                let end = end.unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        let (name, other) = name.split_once(':').map_or((name, ""), |(name, other)| (name, other));
        let found = value(name).filter(|text| !text.is_empty());
        out += &match (other.chars().next(), found) {
            (Some('-'), None) => other[1..].to_owned(),
            (Some('+'), Some(_)) => other[1..].to_owned(),
            (Some('+'), None) => String::new(),
            (_, found) => found.unwrap_or_default(),
        };
        rest = &after[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_knows_its_base_its_variables_and_its_copies() {
        let text = "ARG VERSION=3.13\nFROM python:${VERSION}-slim AS base\nENV A=1 B=\"2 3\"\nWORKDIR /app\n\
                    FROM base\nARG DIR\nENV C $A/${X:-y}\nWORKDIR src\nCOPY ./one/ two ${DIR}/\nCOPY --from=base /x .\n\
                    COPY --from=other/image:1 /y /z\nEXPOSE 8000/tcp\nENTRYPOINT [\"a\"]\nCMD b\n";
        let arguments = BTreeMap::from([("DIR".to_owned(), "deep".to_owned())]);
        let (stages, last) = build(text, None, &arguments).unwrap();
        let stage = &stages[last];
        assert_eq!((stage.image.as_str(), stage.directory.as_str()), ("python:3.13-slim", "/app/src"));
        let variables: Vec<String> = stage.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(variables, ["A=1", "B=2 3", "C=1/y"]);
        assert_eq!(stage.copies[0].sources, ["one", "two"]);
        assert_eq!((stage.copies[0].target.as_str(), stage.copies[0].is_into), ("/app/src/deep", true));
        assert_eq!((&stage.copies[1].from, stage.copies[1].sources[0].as_str()), (&Origin::Stage(0), "/x"));
        assert_eq!(stage.copies[2].from, Origin::Image("other/image:1".into()));
        assert_eq!((stage.ports.as_slice(), stage.command.clone()), (&[8000][..], Some(Start::Shell("b".into()))));
        assert_eq!(build(text, Some("base"), &arguments).unwrap().1, 0);
        assert!(build("RUN x", None, &arguments).is_none());
    }

    #[test]
    fn paths_are_made_normal() {
        for (path, expected) in [("./a//b/", "a/b"), ("/a/../../b", "/b"), (".", ""), ("/", "/"), ("../a", "a")] {
            assert_eq!(normal(path), expected, "{path}");
        }
    }
}
