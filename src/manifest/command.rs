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

/// Programs that take a script as their first argument, with the options that take a value. An option that replaces the
/// script is not among them.
const INTERPRETERS: [(&str, &[&str]); 7] = [
    ("python", &["-W", "-X"]),
    ("node", &["-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions"]),
    ("bun", &["-r", "--preload"]),
    ("ruby", &["-I", "-r"]),
    ("sh", &["-o"]),
    ("bash", &["-o"]),
    ("perl", &["-I"]),
];

/// The ends of the names of scripts.
const SCRIPTS: [&str; 10] = [".py", ".pyz", ".js", ".mjs", ".cjs", ".ts", ".mts", ".rb", ".sh", ".pl"];

/// The file of the package that a single command starts, if that is certain: a program that is written as a path, or the
/// script of an interpreter.
pub(super) fn required(line: &str) -> Option<String> {
    let line = line.trim().strip_prefix("exec ").unwrap_or(line).trim();
    if !is_simple(line) || line.contains(['$', '`', '*', '?', '~', '<', '>']) {
        return None;
    }
    let words = shlex::split(line)?;
    let (program, arguments) = words.split_first()?;
    let name = program.rsplit('/').next()?.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let file = if program.contains('/') && !program.starts_with('/') {
        Some(program)
    } else {
        INTERPRETERS.iter().find(|(known, _)| *known == name).and_then(|(_, values)| script(arguments, values))
    }?;
    let file = file.strip_prefix("./").unwrap_or(file);
    let is_inside =
        !file.starts_with('/') && !file.split('/').any(|part| part.is_empty() || part == ".." || part == ".");
    is_inside.then(|| file.to_owned())
}

/// The first argument that is neither an option nor the value of one, if it is a script.
fn script<'a>(arguments: &'a [String], values: &[&str]) -> Option<&'a String> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if values.contains(&argument.as_str()) {
            arguments.next();
        } else if !argument.starts_with('-') {
            return Some(argument).filter(|script| SCRIPTS.iter().any(|end| script.ends_with(end)));
        } else if !argument.starts_with("--") && argument.contains(['c', 'm', 'e', 'p']) {
            // The code itself, or a module's name, takes the place of the script.
            return None;
        } else if ["--eval", "--print", "--test", "--run"].contains(&argument.as_str()) {
            return None;
        }
    }
    None
}

/// Python's servers: each is a module of its own name, and imports the app that its argument names.
const SERVERS: [&str; 7] = ["daphne", "fastapi", "flask", "granian", "gunicorn", "hypercorn", "uvicorn"];

/// The top-level Python modules that a single command imports, if that is certain: the server after `python -m`, and the
/// module in an argument such as `main:app`.
pub(super) fn modules(line: &str) -> Vec<String> {
    let line = line.trim().strip_prefix("exec ").unwrap_or(line).trim();
    let words = shlex::split(line).filter(|_| is_simple(line) && !line.contains(['$', '`', '*', '?', '~', '<', '>']));
    let words = words.unwrap_or_default();
    let Some((program, arguments)) = words.split_first() else { return Vec::new() };
    let program = program.rsplit('/').next().unwrap_or_default();
    let after_m = || arguments.iter().skip_while(|argument| *argument != "-m").nth(1).map(String::as_str);
    let is_python = program.starts_with("python");
    let server = if is_python { after_m() } else { Some(program) }.filter(|server| SERVERS.contains(server));
    let Some(server) = server else { return Vec::new() };
    let app = arguments.iter().find_map(|argument| imported(argument));
    is_python.then_some(server).into_iter().chain(app).map(str::to_owned).collect()
}

/// The top-level module of `a.b:app`. An address such as `localhost:8000` is none.
fn imported(argument: &str) -> Option<&str> {
    let (module, app) = argument.split_once(':')?;
    let starts_name = |text: &str| text.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
    let is_name =
        |text: &str| starts_name(text) && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    (starts_name(app) && module.split('.').all(is_name)).then(|| module.split('.').next())?
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
    fn a_file_that_a_line_starts_is_known_only_if_it_is_certain() {
        for (line, expected) in [
            ("python main.py", Some("main.py")),
            ("exec python3.13 -u -X dev ./src/main.py --port 8000", Some("src/main.py")),
            ("node --require ./a.js 'my server.mjs'", Some("my server.mjs")),
            ("./run.sh --x", Some("run.sh")),
            ("node_modules/.bin/next start", Some("node_modules/.bin/next")),
            ("python -m uvicorn main:app", None),
            ("python -c 'import a' b.py", None),
            ("node -e 1 b.js", None),
            ("node dist", None),
            ("python $APP/main.py", None),
            ("cd src && python main.py", None),
            ("PORT=1 python main.py", None),
            ("python ../main.py", None),
            ("python /opt/main.py", None),
            ("uvicorn main:app", None),
            ("npm start", None),
        ] {
            assert_eq!(required(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn a_module_that_a_line_imports_is_known_only_if_it_is_certain() {
        for (line, expected) in [
            ("uvicorn main:app --host 0.0.0.0", vec!["main"]),
            ("exec python3.13 -u -m uvicorn shop.api.main:app --port 8000", vec!["uvicorn", "shop"]),
            ("gunicorn -b localhost:8000 -k uvicorn.workers.UvicornWorker 'shop:create_app()'", vec!["shop"]),
            ("hypercorn --bind=[::]:8000 main:app", vec!["main"]),
            ("bin/uvicorn --factory --app-dir src main:create", vec!["main"]),
            ("python -m flask run --port 8000", vec!["flask"]),
            ("gunicorn -b unix:/tmp/x", vec![]),
            ("python -m http.server 8000", vec![]),
            ("python -m shop main:app", vec![]),
            ("uvicorn $APP", vec![]),
            ("cd src && uvicorn main:app", vec![]),
            ("uvicorn src/main:app", vec![]),
            ("node main:app", vec![]),
        ] {
            assert_eq!(modules(line), expected, "{line}");
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
