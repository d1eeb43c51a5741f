//! The runtime for an app: the newest one that AWS supports and that the app and this machine allow.

use std::collections::BTreeMap;

/// The versions that AWS supports, newest first: of Python, `x` of 3.x.
const PYTHON: &[u32] = &[14, 13, 12, 11];
const NODE: &[u32] = &[24, 22];

/// The versions of Python (`x` of 3.x) and Node.js that this machine has.
#[derive(Clone, Debug, Default)]
pub struct Installed {
    pub python: Vec<u32>,
    pub node: Vec<u32>,
}

/// `declared` are ranges such as `>=3.11,<3.13`, or a version such as `3.12.4`. All of them must hold.
pub(super) fn python(declared: &[String], installed: &[u32]) -> String {
    format!("python3.{}", newest(PYTHON, installed, |minor| declared.iter().all(|range| allows_python(range, minor))))
}

pub(super) fn node(declared: &[String], installed: &[u32]) -> String {
    format!("nodejs{}.x", newest(NODE, installed, |major| declared.iter().all(|range| allows_node(range, major))))
}

/// The newest one that is installed, or the newest one. What is declared comes first.
fn newest(supported: &[u32], installed: &[u32], allows: impl Fn(u32) -> bool) -> u32 {
    let allowed = || supported.iter().copied().filter(|version| allows(*version));
    let here = allowed().find(|version| installed.contains(version));
    // Python 3.14 is new: many packages have no wheels for it.
    let usual = || allowed().find(|version| *version != 14).or_else(|| allowed().next());
    here.or_else(usual).unwrap_or_else(|| supported.iter().copied().find(|version| *version != 14).unwrap_or_default())
}

/// Whether a range of Python versions has some 3.`minor`.
fn allows_python(range: &str, minor: u32) -> bool {
    let is_version = range.trim().starts_with(|letter: char| letter.is_ascii_digit());
    range.split(',').map(str::trim).filter(|part| !part.is_empty()).all(|part| {
        let (operator, version) = part.split_at(part.find(|letter: char| letter.is_ascii_digit()).unwrap_or(0));
        let mut numbers = version.trim_end_matches(".*").split('.').map(|part| part.parse::<u32>().ok());
        let (Some(Some(major)), given) = (numbers.next(), numbers.next().flatten()) else { return true };
        let at_least = (major, given.unwrap_or(0)) <= (3, minor);
        match operator.trim() {
            ">=" | ">" => at_least,
            "<" => (3, minor) < (major, given.unwrap_or(0)),
            "<=" => (3, minor) <= (major, given.unwrap_or(u32::MAX)),
            "^" => at_least && major == 3,
            "~=" | "~" if version.matches('.').count() < 2 && operator.trim() == "~=" => at_least && major == 3,
            "" | "=" | "==" | "===" | "~=" | "~" if is_version || !operator.is_empty() => {
                major == 3 && given.is_none_or(|given| given == minor)
            }
            _ => true,
        }
    })
}

/// Whether a range of Node.js versions has some `major`.
fn allows_node(range: &str, major: u32) -> bool {
    range.split("||").any(|part| allows_all(part, major))
}

fn allows_all(range: &str, major: u32) -> bool {
    // A space after an operator does not count.
    let mut range = range.trim().to_owned();
    for operator in [">=", "<=", ">", "<", "^", "~", "="] {
        range = range.replace(&format!("{operator} "), operator);
    }
    range.split([' ', ',']).filter(|part| !part.is_empty()).all(|part| {
        let at = part.find(|letter: char| letter.is_ascii_digit());
        let Some((operator, version)) = at.map(|at| part.split_at(at)) else { return true };
        let digits = version.split('.').next().unwrap_or_default();
        let Ok(given) = digits.parse::<u32>() else { return true };
        match operator.trim_end_matches('v') {
            ">=" => major >= given,
            ">" => major > given || version.contains('.') && major >= given,
            "<" => {
                major < given
                    || version.trim_start_matches(digits).contains(|c: char| ('1'..='9').contains(&c)) && major == given
            }
            "<=" => major <= given,
            _ => major == given,
        }
    })
}

/// What files such as `.python-version` say: the first line that is a version.
pub(super) fn first_version(text: &str) -> Option<String> {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("python-").trim_start_matches('v').to_owned());
    let mut versions = lines.filter(|line| line.starts_with(|letter: char| letter.is_ascii_digit()));
    versions.next()
}

/// The version of an image in a Dockerfile: `3.12` of `FROM python:3.12-slim`.
pub(super) fn image_version(dockerfile: &str, image: &str) -> Option<String> {
    let from = dockerfile.lines().filter(|line| line.trim_start().starts_with("FROM "));
    let images =
        from.filter_map(|line| line.split_whitespace().find(|word| !word.starts_with("--") && *word != "FROM"));
    let tags = images.filter_map(|name| name.rsplit('/').next()?.strip_prefix(image)?.strip_prefix(':'));
    let is_version = |letter: char| letter.is_ascii_digit() || letter == '.';
    let versions = tags.map(|tag| tag.chars().take_while(|letter| is_version(*letter)).collect::<String>());
    versions.map(|version| version.trim_end_matches('.').to_owned()).find(|version| !version.is_empty())
}

/// Names of Node.js's long-term releases, as `.nvmrc` may have them.
pub(super) fn node_release(text: &str) -> Option<String> {
    let names = BTreeMap::from([("jod", "22"), ("krypton", "24")]);
    let name = text.trim().trim_start_matches("lts/").to_lowercase();
    names.get(name.as_str()).map(|version| (*version).to_owned()).or_else(|| first_version(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::runtimes::retirement;

    #[test]
    fn python_is_the_newest_that_the_app_and_the_machine_allow() {
        for (declared, installed, expected) in [
            (&[][..], &[][..], "python3.13"),
            (&[], &[11], "python3.11"),
            (&[], &[9, 12, 11], "python3.12"),
            (&[">=3.12"], &[11], "python3.13"),
            (&[">=3.11,<3.13"], &[], "python3.12"),
            (&["3.11.9"], &[13], "python3.11"),
            (&["3.14"], &[13], "python3.14"),
            (&["^3.11"], &[], "python3.13"),
            (&["~=3.12.0"], &[], "python3.12"),
            (&["~=3.11"], &[], "python3.13"),
            (&["==3.12.*"], &[], "python3.12"),
            (&["<3.12", ">=3.10"], &[], "python3.11"),
            (&[">=3.8,<4.0"], &[], "python3.13"),
            (&["3.6"], &[11], "python3.13"),
        ] {
            let declared: Vec<String> = declared.iter().map(|range| (*range).to_owned()).collect();
            assert_eq!(python(&declared, installed), expected, "{declared:?} {installed:?}");
        }
    }

    #[test]
    fn node_is_the_newest_that_the_app_and_the_machine_allow() {
        for (declared, installed, expected) in [
            (&[][..], &[20][..], "nodejs24.x"),
            (&[], &[22], "nodejs22.x"),
            (&[">=18"], &[], "nodejs24.x"),
            (&[">= 18 < 23"], &[], "nodejs22.x"),
            (&["^22.1.0"], &[], "nodejs22.x"),
            (&["20.x || 22.x"], &[], "nodejs22.x"),
            (&["v22.3.0"], &[], "nodejs22.x"),
            (&["16"], &[], "nodejs24.x"),
            (&["*"], &[], "nodejs24.x"),
        ] {
            let declared: Vec<String> = declared.iter().map(|range| (*range).to_owned()).collect();
            assert_eq!(node(&declared, installed), expected, "{declared:?} {installed:?}");
        }
        let dockerfile = "# FROM python:3.9\nFROM --platform=linux/amd64 docker.io/library/python:3.12-slim AS base\nFROM node:lts\n";
        assert_eq!(image_version(dockerfile, "python").as_deref(), Some("3.12"));
        assert_eq!(image_version(dockerfile, "node"), None);
        assert_eq!((node_release("lts/jod\n"), node_release("v24.1\n")), (Some("22".into()), Some("24.1".into())));
    }

    #[test]
    fn no_runtime_that_aws_has_retired_is_written() {
        let names = PYTHON.iter().map(|minor| format!("python3.{minor}"));
        for name in names.chain(NODE.iter().map(|major| format!("nodejs{major}.x"))) {
            assert_eq!(retirement(&name), None, "{name}");
        }
    }
}
