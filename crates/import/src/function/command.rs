//! What an image starts, as a line that starts the same in a zip.

use super::build::quote;
use crate::dockerfile::{Start, words};
use crate::yaml;

/// Programs that Python's packages install, and that `python -m` starts wherever the packages are.
const MODULES: [&str; 14] = [
    "uvicorn",
    "gunicorn",
    "hypercorn",
    "daphne",
    "granian",
    "flask",
    "fastapi",
    "streamlit",
    "litestar",
    "chainlit",
    "waitress",
    "sanic",
    "robyn",
    "mcp",
];
/// Tools that start a program in the environment that they manage.
const RUNNERS: [&str; 4] = ["uv", "poetry", "pipenv", "pdm"];

/// The command of an image.
pub(super) struct Command {
    words: Vec<String>,
    /// The line, if a shell reads it.
    shell: Option<String>,
}

/// A line for `run`.
pub(super) struct Line {
    pub text: String,
    /// The port that it names.
    pub port: Option<u16>,
    /// Why it may not start in a zip.
    pub note: Option<String>,
}

impl Command {
    /// The entry point with the command as its arguments, as Docker joins them.
    pub(super) fn of(entrypoint: Option<&Start>, command: Option<&Start>) -> Option<Command> {
        let shell = |line: &str| {
            let line = line.trim();
            let line = line.strip_prefix("exec ").unwrap_or(line).trim().to_owned();
            Command { words: words(&line), shell: Some(line) }
        };
        match (entrypoint, command) {
            (Some(Start::Shell(line)), _) | (None, Some(Start::Shell(line))) => Some(shell(line)),
            (Some(Start::Words(entry)), command) => {
                let rest = match command {
                    Some(Start::Words(words)) => words.clone(),
                    Some(Start::Shell(line)) => ["/bin/sh", "-c", line].map(str::to_owned).to_vec(),
                    None => Vec::new(),
                };
                Command::of(None, Some(&Start::Words([entry.clone(), rest].concat())))
            }
            (None, Some(Start::Words(all))) => match all.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                [] => None,
                ["sh" | "/bin/sh" | "bash" | "/bin/bash", "-c" | "-lc", line] => Some(shell(line)),
                _ => Some(Command { words: all.clone(), shell: None }),
            },
            (None, None) => None,
        }
    }

    pub(super) fn words(&self) -> &[String] {
        &self.words
    }

    /// The handler, if the image runs one: on Lambda's base images, or by Lambda's runtime client.
    pub(super) fn handler(&self, is_lambdas: bool) -> Option<String> {
        let by_client = self.words.iter().any(|word| word.contains("awslambdaric") || word.contains("aws-lambda-ric"));
        let is_handler = |word: &&String| word.contains('.') && !word.contains('/') && !word.starts_with('-');
        let is_alone = is_lambdas && self.words.len() == 1;
        self.words.last().filter(|_| by_client || is_alone).filter(is_handler).cloned()
    }

    /// The line that starts the same in a zip, whose directory is `home` in the image.
    pub(super) fn line(&self, home: &str, runtime: &str, scripts: &dyn Fn(&str) -> Option<String>) -> Line {
        let mut words = self.words.clone();
        let mut shell = self.shell.clone();
        let mut note = None;
        if words.len() > 2 && RUNNERS.contains(&words[0].as_str()) && words[1] == "run" {
            let skipped = words.iter().skip(2).take_while(|word| word.starts_with('-')).count();
            words.drain(..2 + skipped);
            shell = shell.map(|line| after(&line, &words[0]));
        }
        if let Some(name) = npm_script(&words) {
            match scripts(&name) {
                Some(script) => {
                    words = crate::dockerfile::words(&script);
                    shell = Some(script);
                }
                None => {
                    note = Some(format!("`{}` is a script of `package.json`, which was not found", words.join(" ")))
                }
            }
        }
        if runtime.starts_with("python") && words.first().is_some_and(|word| MODULES.contains(&word.as_str())) {
            words.splice(0..0, ["python", "-m"].map(str::to_owned));
            shell = shell.map(|line| format!("python -m {line}"));
        }
        let home = format!("{}/", home.trim_end_matches('/'));
        let port = port(&words);
        let text = match shell {
            Some(line) => line.replace(&home, ""),
            None => {
                let local = |(at, word): (usize, &String)| match word.strip_prefix(&home) {
                    // A shell looks for a program without a slash elsewhere.
                    Some(name) if at == 0 && words.len() > 1 && !name.contains('/') => format!("./{name}"),
                    Some(name) => name.to_owned(),
                    None => word.clone(),
                };
                words.iter().enumerate().map(local).map(|word| quote(&word)).collect::<Vec<_>>().join(" ")
            }
        };
        let text = text.strip_prefix("./").filter(|rest| !rest.contains(' ')).unwrap_or(&text).to_owned();
        Line { text, port, note }
    }
}

/// The rest of a line from the first place of a word.
fn after(line: &str, word: &str) -> String {
    line.find(word).map_or(line, |at| &line[at..]).to_owned()
}

/// The script of `npm start`, `npm run NAME` and their like.
fn npm_script(words: &[String]) -> Option<String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["npm" | "yarn" | "pnpm" | "bun", "run", name, ..] => Some(name.to_owned()),
        ["npm" | "yarn" | "pnpm", name, ..] if name == "start" => Some(name.to_owned()),
        _ => None,
    }
}

/// A script of a `package.json`, if Node.js itself starts it.
pub(super) fn script(package: &str, name: &str) -> Option<String> {
    let (package, _) = yaml::read("package.json", package).ok()?;
    let script = package.at(&["scripts", name])?.text()?.to_owned();
    script.starts_with("node ").then_some(script)
}

/// The port that an option names, such as `--port 8000`, `-p 8000` and `-b=0.0.0.0:8000`.
fn port(words: &[String]) -> Option<u16> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (option, value) =
            word.split_once('=').map_or((word.as_str(), None), |(option, value)| (option, Some(value)));
        if ["--port", "-p", "-b", "--bind", "--server.port", "--server-port"].contains(&option) {
            let value = value.or_else(|| words.as_slice().first().map(String::as_str))?;
            return value.rsplit(':').next()?.parse().ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(line: &str) -> Start {
        Start::Shell(line.to_owned())
    }

    fn list(words: &[&str]) -> Start {
        Start::Words(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn an_image_starts_the_same_in_a_zip() {
        let none = |_: &str| None;
        for (entrypoint, command, expected, port) in [
            (None, Some(shell("exec uvicorn --port=$PORT main:app")), "python -m uvicorn --port=$PORT main:app", None),
            (None, Some(list(&["gunicorn", "-b=:8000", "app:app"])), "python -m gunicorn -b=:8000 app:app", Some(8000)),
            (Some(list(&["python"])), Some(list(&["/app/main.py"])), "python main.py", None),
            (Some(shell("./run.sh")), Some(list(&["ignored"])), "run.sh", None),
            (Some(list(&["/app/server"])), Some(list(&["-v"])), "./server -v", None),
            (Some(list(&["/app/server"])), None, "server", None),
            (None, Some(list(&["sh", "-c", "exec ./run.sh --port 90"])), "./run.sh --port 90", Some(90)),
            (None, Some(list(&["uv", "run", "--no-sync", "fastapi", "run"])), "python -m fastapi run", None),
            (
                None,
                Some(list(&["java", "-jar", "a.jar", "--server.port=${P}"])),
                "java -jar a.jar '--server.port=${P}'",
                None,
            ),
        ] {
            let command = Command::of(entrypoint.as_ref(), command.as_ref()).unwrap();
            let line = command.line("/app", "python3.13", &none);
            assert_eq!((line.text.as_str(), line.port), (expected, port));
        }
        assert!(Command::of(None, None).is_none());
    }

    #[test]
    fn a_script_is_looked_up_and_a_handler_is_recognised() {
        let command = Command::of(None, Some(&list(&["npm", "start"]))).unwrap();
        let scripts = |name: &str| script(r#"{"scripts": {"start": "node index.js", "dev": "vite"}}"#, name);
        assert_eq!(command.line("/app", "nodejs22.x", &scripts).text, "node index.js");
        let command = Command::of(None, Some(&list(&["npm", "run", "dev"]))).unwrap();
        assert!(command.line("/app", "nodejs22.x", &scripts).note.is_some());
        let handler = |words: &[&str], is_lambdas| Command::of(None, Some(&list(words))).unwrap().handler(is_lambdas);
        assert_eq!(handler(&["app.handler"], true), Some("app.handler".into()));
        assert_eq!(handler(&["app.handler"], false), None);
        assert_eq!(handler(&["python", "-m", "awslambdaric", "app.handler"], false), Some("app.handler".into()));
    }
}
