//! The instructions of a Dockerfile: comments, continued lines, flags, the two forms of a command, here-documents.

use crate::yaml;

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// In upper case, such as `COPY`.
    pub name: String,
    /// Such as `from` and `builder`, without dashes.
    pub flags: Vec<(String, String)>,
    /// Everything after the flags, on one line.
    pub text: String,
    /// The texts of its here-documents.
    pub documents: Vec<String>,
}

/// What an image starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// `["python", "main.py"]`: the words, which no shell reads.
    Words(Vec<String>),
    /// `python main.py`, for a shell.
    Shell(String),
}

impl Instruction {
    pub(super) fn flag(&self, name: &str) -> Option<&str> {
        self.flags.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The text as a command.
    pub(super) fn start(&self) -> Start {
        list(&self.text).map_or_else(|| Start::Shell(self.text.clone()), Start::Words)
    }

    /// The arguments: a list as JSON has it, or words.
    pub(super) fn arguments(&self) -> Vec<String> {
        list(&self.text).unwrap_or_else(|| self.text.split_whitespace().map(str::to_owned).collect())
    }
}

/// A list of texts as JSON has it.
fn list(text: &str) -> Option<Vec<String>> {
    let is_list = text.starts_with('[') && text[1..].trim_start().starts_with(['"', ']']);
    let (node, _) = is_list.then(|| yaml::read("Dockerfile", text).ok())??;
    node.items().iter().map(|item| item.text().map(str::to_owned)).collect()
}

/// All instructions, in order. Docker would refuse some texts for which this still finds instructions.
pub(super) fn parse(text: &str) -> Vec<Instruction> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let escape = escape(text);
    let mut lines = text.lines().enumerate().peekable();
    let mut all = Vec::new();
    while let Some((number, first)) = lines.next() {
        if is_skipped(first) {
            continue;
        }
        let mut whole = String::new();
        let mut line = first.trim();
        while let Some(before) = line.strip_suffix(escape) {
            whole += before;
            // Comments and empty lines within an instruction do not belong to it.
            while lines.peek().is_some_and(|(_, next)| is_skipped(next)) {
                lines.next();
            }
            let Some((_, next)) = lines.next() else {
                line = "";
                break;
            };
            line = next.trim_end();
        }
        whole += line;
        let mut instruction = instruction(number + 1, whole.trim());
        if ["RUN", "COPY", "ADD"].contains(&instruction.name.as_str()) {
            for end in ends(&instruction.text) {
                let mut document = String::new();
                for (_, line) in lines.by_ref().take_while(|(_, line)| line.trim_start_matches('\t') != end) {
                    document += line;
                    document.push('\n');
                }
                instruction.documents.push(document);
            }
        }
        all.push(instruction);
    }
    all
}

/// The character that continues a line, which a directive at the start may change.
fn escape(text: &str) -> char {
    let directives = text.lines().map_while(|line| line.trim().strip_prefix('#'));
    let values = directives.filter_map(|line| line.split_once('='));
    let escape = values.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("escape"));
    if escape.is_some_and(|(_, value)| value.trim() == "`") { '`' } else { '\\' }
}

fn is_skipped(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

fn instruction(line: usize, whole: &str) -> Instruction {
    let (name, mut rest) = whole.split_once(char::is_whitespace).unwrap_or((whole, ""));
    let mut flags = Vec::new();
    rest = rest.trim_start();
    while let Some(flag) = rest.strip_prefix("--") {
        let (flag, after) = flag.split_once(char::is_whitespace).unwrap_or((flag, ""));
        let (key, value) = flag.split_once('=').unwrap_or((flag, ""));
        flags.push((key.to_lowercase(), value.to_owned()));
        rest = after.trim_start();
    }
    Instruction { line, name: name.to_uppercase(), flags, text: rest.to_owned(), documents: Vec::new() }
}

/// The words that end the here-documents of an instruction, in order.
fn ends(text: &str) -> Vec<String> {
    let starts = text.match_indices("<<").filter(|(at, _)| !text[..*at].ends_with('<'));
    let word = |(at, _): (usize, &str)| {
        let rest = text[at + 2..].trim_start_matches('-').trim_start_matches(['"', '\'']);
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        rest[..end].to_owned()
    };
    starts.map(word).filter(|word| word.starts_with(char::is_alphabetic)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_continue_past_comments() {
        let all = parse("\u{feff}# syntax=docker/dockerfile:1\nfrom  a AS b\nRUN x \\\n\n  # why\n  && y\\\n z\n");
        let shown: Vec<(usize, &str, &str)> =
            all.iter().map(|one| (one.line, one.name.as_str(), one.text.as_str())).collect();
        assert_eq!(shown, [(2, "FROM", "a AS b"), (3, "RUN", "x   && y z")]);
        assert_eq!(parse("# escape=`\nCOPY C:\\a `\n b\n")[0].text, "C:\\a  b");
    }

    #[test]
    fn flags_lists_and_documents_are_recognised() {
        let all = parse("COPY --from=a --chown=1:1 [\"b c\", \"d\"]\nRUN <<EOF\none\ntwo\nEOF\nCMD [ \"x\", \"y\" ]\n");
        assert_eq!((all[0].flag("from"), all[0].arguments()), (Some("a"), vec!["b c".to_owned(), "d".to_owned()]));
        assert_eq!(all[1].documents, ["one\ntwo\n"]);
        assert_eq!(all[2].start(), Start::Words(vec!["x".to_owned(), "y".to_owned()]));
        assert_eq!(parse("CMD [ x ]")[0].start(), Start::Shell("[ x ]".to_owned()));
        assert!(parse("").is_empty() && parse("RUN \\").len() == 1);
    }
}
