//! Markers of PEP 508, evaluated for a given environment.
//!
//! By hand, because the crates that do it depend on code under a licence that this project does not accept.

use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

use super::requirement::normalised;

/// The variables of markers, apart from `extra`, with their values.
pub(super) type Variables<'a> = [(&'a str, &'a str)];

/// Older names of variables.
const OLD_NAMES: [(&str, &str); 6] = [
    ("os.name", "os_name"),
    ("sys.platform", "sys_platform"),
    ("platform.version", "platform_version"),
    ("platform.machine", "platform_machine"),
    ("platform.python_implementation", "platform_python_implementation"),
    ("python_implementation", "platform_python_implementation"),
];
/// Variables that are compared as versions.
const VERSIONS: [&str; 3] = ["python_version", "python_full_version", "implementation_version"];
const OPERATORS: [&str; 8] = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];

/// Whether a marker applies, with these extras. `None` if it is not valid.
pub(super) fn holds(marker: &str, variables: &Variables<'_>, extras: &[String]) -> Option<bool> {
    let mut parser = Parser { tokens: tokens(marker)?, at: 0, variables, extras };
    let holds = parser.any()?;
    (parser.at == parser.tokens.len()).then_some(holds)
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A variable, `and`, `or`, `in` or `not`.
    Word(String),
    /// An operator or a parenthesis.
    Sign(String),
    Text(String),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let (mut found, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => {
                let end = rest[1..].find(first)?;
                found.push(Token::Text(rest[1..=end].to_owned()));
                end + 2
            }
            '(' | ')' => {
                found.push(Token::Sign(first.to_string()));
                1
            }
            letter if letter.is_ascii_alphabetic() || letter == '_' => {
                let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || "_.".contains(letter)));
                let word = &rest[..end.unwrap_or(rest.len())];
                found.push(Token::Word(word.to_owned()));
                word.len()
            }
            _ => {
                let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator))?;
                found.push(Token::Sign((*operator).to_owned()));
                operator.len()
            }
        };
        rest = rest[length..].trim_start();
    }
    Some(found)
}

/// One side of a comparison.
enum Side {
    Variable(String),
    Text(String),
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    variables: &'a Variables<'a>,
    extras: &'a [String],
}

impl Parser<'_> {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn skip(&mut self, word: &str) -> bool {
        let is_it = self.tokens.get(self.at).is_some_and(|token| matches!(token, Token::Word(found) if found == word));
        self.at += usize::from(is_it);
        is_it
    }

    fn any(&mut self) -> Option<bool> {
        let mut holds = self.all()?;
        while self.skip("or") {
            holds |= self.all()?;
        }
        Some(holds)
    }

    fn all(&mut self) -> Option<bool> {
        let mut holds = self.one()?;
        while self.skip("and") {
            holds &= self.one()?;
        }
        Some(holds)
    }

    fn one(&mut self) -> Option<bool> {
        if self.tokens.get(self.at) == Some(&Token::Sign("(".to_owned())) {
            self.at += 1;
            let holds = self.any()?;
            return (self.next()? == Token::Sign(")".to_owned())).then_some(holds);
        }
        let left = self.side()?;
        let operator = match self.next()? {
            Token::Sign(operator) => operator,
            Token::Word(word) if word == "in" => word,
            Token::Word(word) if word == "not" && self.skip("in") => "not in".to_owned(),
            _ => return None,
        };
        let right = self.side()?;
        self.compare(&left, &operator, &right)
    }

    fn side(&mut self) -> Option<Side> {
        match self.next()? {
            Token::Text(text) => Some(Side::Text(text)),
            Token::Word(name) => {
                let old = OLD_NAMES.iter().find(|(old, _)| *old == name);
                Some(Side::Variable(old.map_or(name, |(_, new)| (*new).to_owned())))
            }
            Token::Sign(_) => None,
        }
    }

    fn compare(&self, left: &Side, operator: &str, right: &Side) -> Option<bool> {
        match (left, right) {
            (Side::Variable(name), Side::Text(text)) if name == "extra" => self.has_extra(text, operator),
            (Side::Text(text), Side::Variable(name)) if name == "extra" => self.has_extra(text, operator),
            (Side::Variable(name), Side::Text(text)) if VERSIONS.contains(&&**name) => {
                of_versions(self.value(name)?, operator, text)
            }
            (Side::Text(text), Side::Variable(name)) if VERSIONS.contains(&&**name) => {
                of_versions(self.value(name)?, reversed(operator), text)
            }
            _ => of_texts(self.text(left)?, operator, self.text(right)?),
        }
    }

    fn has_extra(&self, name: &str, operator: &str) -> Option<bool> {
        let is_active = self.extras.iter().any(|extra| normalised(extra) == normalised(name));
        match operator {
            "==" | "===" => Some(is_active),
            "!=" => Some(!is_active),
            _ => None,
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn text<'a>(&'a self, side: &'a Side) -> Option<&'a str> {
        match side {
            Side::Variable(name) => self.value(name),
            Side::Text(text) => Some(text),
        }
    }
}

fn reversed(operator: &str) -> &str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        other => other,
    }
}

/// `in` is followed by a list, such as `'3.8, 3.9'`.
fn of_versions(value: &str, operator: &str, text: &str) -> Option<bool> {
    let version = Version::from_str(value).ok()?;
    let has = |operator: &str, text: &str| {
        let text = if operator.starts_with(['<', '>', '~']) { text.trim_end_matches(".*") } else { text };
        Some(VersionSpecifiers::from_str(&format!("{operator}{text}")).ok()?.contains(&version))
    };
    let is_listed =
        || text.split([',', ' ', '|']).filter(|word| !word.is_empty()).any(|word| has("==", word) == Some(true));
    match operator {
        "in" => Some(is_listed()),
        "not in" => Some(!is_listed()),
        operator => has(operator, text),
    }
}

fn of_texts(left: &str, operator: &str, right: &str) -> Option<bool> {
    Some(match operator {
        "==" | "===" => left == right,
        "!=" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        ">=" => left >= right,
        "in" => right.contains(left),
        "not in" => !right.contains(left),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VARIABLES: [(&str, &str); 5] = [
        ("python_version", "3.10"),
        ("python_full_version", "3.10.4"),
        ("sys_platform", "linux"),
        ("platform_machine", "aarch64"),
        ("platform_python_implementation", "CPython"),
    ];

    fn of(marker: &str) -> Option<bool> {
        holds(marker, &VARIABLES, &["Standard_x".to_owned()])
    }

    #[test]
    fn markers_are_evaluated() {
        for marker in [
            "python_version >= '3.9'",
            "'3.9' <= python_version and '3.11' > python_version",
            "python_version == '3.*' and python_full_version ~= \"3.10.1\"",
            "sys_platform == 'win32' or (sys_platform == 'linux' and platform_machine == 'aarch64')",
            // Without parentheses, `and` binds closer.
            "sys_platform == 'linux' or sys_platform == 'win32' and python_version < '3'",
            "python_version in '3.9, 3.10' and python_version not in '3.1, 3.2'",
            "python_full_version not in '3.9.0, 3.9.1'",
            "'linux' in sys_platform and 'win' not in sys_platform",
            "platform.python_implementation != 'PyPy' and sys.platform!='win32'",
            "python_full_version<'3.11.0a7'",
            "extra == 'standard-X' and extra != \"other\"",
            "python_version > '3.8.*'",
        ] {
            assert_eq!(of(marker), Some(true), "{marker}");
        }
        for marker in [
            "python_version < '3.9'",
            "python_version == '3.1'",
            "(sys_platform == 'linux' or sys_platform == 'win32') and python_version < '3'",
            "extra == 'other'",
            "platform_machine in 'x86_64 AMD64'",
        ] {
            assert_eq!(of(marker), Some(false), "{marker}");
        }
    }

    #[test]
    fn what_is_no_marker_is_not_guessed() {
        for marker in [
            "python_version",
            "python_version >= '3.9' and",
            "(python_version >= '3.9'",
            "python_version = '3.9'",
            "python_version >= 3.9",
            "nothing == 'x'",
            "python_version >= '3.9' sys_platform == 'linux'",
            "python_version >= 'x'",
            "'x' in extras",
        ] {
            assert_eq!(of(marker), None, "{marker}");
        }
    }
}
