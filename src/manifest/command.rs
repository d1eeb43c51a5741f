//! Analyses the start of a shell command line, and whether it is a single command.

/// Builtins and keywords of the shell, which no program can replace.
const OF_THE_SHELL: [&str; 42] = [
    ".", ":", "!", "{", "[[", "alias", "bg", "break", "builtin", "case", "cd", "command", "continue", "declare",
    "eval", "exec", "exit", "export", "fg", "for", "function", "hash", "if", "jobs", "local", "read", "readonly",
    "return", "select", "set", "shift", "shopt", "source", "time", "times", "trap", "type", "ulimit", "umask", "unset",
    "until", "while",
];

/// Whether the line can be prefixed with `exec`, so that the program replaces the shell: it has no operators, sets no
/// variables first, and does not start with a builtin.
pub(super) fn is_simple(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    !has_operators(line) && !is_assignment(first) && !OF_THE_SHELL.contains(&first)
}

/// The first word that is neither an assignment nor `exec`, if it is a relative path into the package.
pub(super) fn file(line: &str) -> Option<&str> {
    let word = line.split_whitespace().find(|word| !is_assignment(word) && *word != "exec")?;
    let word = word.trim_matches(['"', '\'']);
    let word = word.strip_prefix("$LAMBDA_TASK_ROOT/").unwrap_or(word);
    let inside = !word.starts_with('/') && !word.split('/').any(|part| part == "..");
    (inside && !word.is_empty()).then(|| word.strip_prefix("./").unwrap_or(word))
}

/// Splits at operators outside quotes. Redirections belong to their command.
fn has_operators(line: &str) -> bool {
    let (mut quote, mut letters) = (None, line.chars().peekable());
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some('\''), letter) if letter != '\'' => {}
            (_, '\\') => drop(letters.next()),
            (Some(open), letter) if open == letter => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            // `2>&1` and `&>FILE` redirect output.
            (None, '&') if before == '>' || letters.peek() == Some(&'>') => {}
            (None, ';' | '&' | '|' | '(' | ')') if before != '$' => return true,
            _ => {}
        }
        before = letter;
    }
    false
}

/// `NAME=VALUE`.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with(|letter: char| letter.is_ascii_digit())
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_simple_command_may_take_the_shells_place() {
        for line in [
            "python -m uvicorn main:app",
            "python -c 'a; b' --x=\"c & d\"",
            "gunicorn main:app > /tmp/log 2>&1",
            "./run.sh --port $PORT",
        ] {
            assert!(is_simple(line), "{line}");
        }
        for line in [
            "FOO=1 python main.py",
            "cd src && python main.py",
            "true && python main.py",
            "python a.py; python b.py",
            "python a.py | tee /tmp/x",
            "python a.py & wait",
            "exec python main.py",
            ". ./env.sh",
        ] {
            assert!(!is_simple(line), "{line}");
        }
    }

    #[test]
    fn what_a_line_begins_with_may_be_a_file_of_the_package() {
        for (line, expected) in [
            ("./run.sh --x", Some("run.sh")),
            ("exec bin/server -v", Some("bin/server")),
            ("A=1 $LAMBDA_TASK_ROOT/run.sh a", Some("run.sh")),
            ("/opt/x y", None),
            ("../x y", None),
        ] {
            assert_eq!(file(line), expected, "{line}");
        }
    }
}
