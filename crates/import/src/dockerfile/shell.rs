//! The commands of a `RUN`, and which of them matter to a zip.

/// One command of a `RUN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Installs what a list of dependencies names; the list, if the command names it.
    Install(Option<String>),
    /// Installs these packages, which no list names.
    Packages(Vec<String>),
    /// Installs these packages of the operating system.
    System(Vec<String>),
    /// Changes nothing in the app, such as `chmod` and the installation of an installer.
    Other(Tool),
    /// Anything else, which may make a part of the app.
    Build,
}

/// Why a command changes nothing in the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// It prepares or cleans up an installation.
    Installer,
    /// It sets permissions, users or directories of the image.
    Image,
}

/// Packages that install others, or that Lambda's own runtimes have.
const INSTALLERS: [&str; 12] = [
    "pip",
    "setuptools",
    "wheel",
    "uv",
    "poetry",
    "pipenv",
    "pdm",
    "virtualenv",
    "awslambdaric",
    "ca-certificates",
    "npm",
    "tzdata",
];
/// Flags of pip and npm that are followed by a value.
const WITH_VALUE: [&str; 16] = [
    "-t",
    "--target",
    "-i",
    "--index-url",
    "--extra-index-url",
    "--platform",
    "--python-version",
    "--prefix",
    "--implementation",
    "--only-binary",
    "-c",
    "--constraint",
    "--root",
    "-f",
    "--find-links",
    "--python",
];

/// The commands of a line, in order, with their kinds.
pub(crate) fn parts(text: &str) -> Vec<(String, Part)> {
    commands(text).into_iter().map(|command| (command.clone(), kind(&command))).collect()
}

/// Splits at `&&`, `;` and line ends outside quotes.
fn commands(text: &str) -> Vec<String> {
    let (mut all, mut one, mut quote) = (Vec::new(), String::new(), None);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '"' if quote == Some(letter) => quote = None,
            '\'' | '"' if quote.is_none() => quote = Some(letter),
            '&' if quote.is_none() && letters.peek() == Some(&'&') => {
                letters.next();
                all.push(std::mem::take(&mut one));
                continue;
            }
            ';' | '\n' if quote.is_none() => {
                all.push(std::mem::take(&mut one));
                continue;
            }
            _ => {}
        }
        one.push(letter);
    }
    all.push(one);
    all.into_iter().map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
}

/// The words of a command, without the variables that are set before it.
pub(crate) fn words(command: &str) -> Vec<String> {
    let words = shlex::split(command).unwrap_or_else(|| command.split_whitespace().map(str::to_owned).collect());
    let is_set = |word: &String| {
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        })
    };
    words.into_iter().skip_while(|word| is_set(word) || word == "sudo").collect()
}

fn kind(command: &str) -> Part {
    let words = words(command);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [first, rest @ ..] = words.as_slice() else { return Part::Other(Tool::Image) };
    let program = first.rsplit('/').next().unwrap_or(first);
    match (program, rest) {
        ("python" | "python3", ["-m", "pip", rest @ ..]) | ("pip" | "pip3", rest) | ("uv", ["pip", rest @ ..]) => {
            pip(rest)
        }
        ("python" | "python3", ["-m", "venv", ..]) | ("virtualenv", _) => Part::Other(Tool::Installer),
        ("uv", ["sync", ..]) | ("poetry" | "pipenv" | "pdm", ["install" | "sync", ..]) => Part::Install(None),
        ("uv" | "poetry" | "pipenv" | "pdm" | "corepack", _) => Part::Other(Tool::Installer),
        ("npm" | "pnpm" | "bun", ["ci" | "install" | "i", rest @ ..]) => npm(rest),
        ("yarn", [] | ["install", ..]) => Part::Install(None),
        ("yarn", rest) if rest.iter().all(|word| word.starts_with("--")) => Part::Install(None),
        ("npm" | "yarn" | "pnpm" | "bun", ["prune" | "cache" | "config" | "store" | "set", ..]) => {
            Part::Other(Tool::Installer)
        }
        ("bundle", ["install", ..]) => Part::Install(None),
        ("bundle", ["config", ..]) | ("gem", _) => Part::Other(Tool::Installer),
        ("apt-get" | "apt" | "apk" | "yum" | "dnf" | "microdnf" | "tdnf", _) => system(rest),
        (
            "chmod" | "chown" | "mkdir" | "useradd" | "groupadd" | "adduser" | "addgroup" | "usermod" | "ls" | "pwd"
            | "echo" | "rm" | "set" | "cd" | "true" | ":" | "touch",
            _,
        ) => Part::Other(Tool::Image),
        _ => Part::Build,
    }
}

/// The words that are neither flags nor their values.
fn names<'w>(words: &[&'w str]) -> Vec<&'w str> {
    let mut all = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if WITH_VALUE.contains(word) {
            words.next();
        } else if !word.starts_with('-') {
            all.push(*word);
        }
    }
    all
}

fn pip(words: &[&str]) -> Part {
    let ["install", rest @ ..] = words else { return Part::Other(Tool::Installer) };
    let at = rest.iter().position(|word| ["-r", "--requirement"].contains(word));
    let list = at.and_then(|at| rest.get(at + 1)).copied();
    let joined = rest.iter().find_map(|word| {
        word.strip_prefix("--requirement=").or_else(|| word.strip_prefix("-r").filter(|name| !name.is_empty()))
    });
    if let Some(list) = list.or(joined) {
        return Part::Install(Some(list.to_owned()));
    }
    let names = names(rest);
    if names.iter().any(|name| *name == "." || name.starts_with("./")) {
        return Part::Install(None);
    }
    packages(&names)
}

fn npm(words: &[&str]) -> Part {
    let names = names(words);
    match names.is_empty() {
        true => Part::Install(None),
        false if words.iter().any(|word| ["-g", "--global"].contains(word)) => Part::Other(Tool::Installer),
        false => packages(&names),
    }
}

fn packages(names: &[&str]) -> Part {
    let is_installer = |name: &&str| {
        let end = name.find(['=', '<', '>', '~', '[', '@', '!']).unwrap_or(name.len());
        INSTALLERS.contains(&&name[..end])
    };
    let (installers, others): (Vec<&str>, Vec<&str>) = names.iter().copied().partition(|name| is_installer(name));
    match others.is_empty() {
        true => Part::Other(if installers.is_empty() { Tool::Image } else { Tool::Installer }),
        false => Part::Packages(others.into_iter().map(str::to_owned).collect()),
    }
}

fn system(words: &[&str]) -> Part {
    let Some(at) = words.iter().position(|word| ["install", "add", "localinstall"].contains(word)) else {
        return Part::Other(Tool::Installer);
    };
    let names = names(&words[at + 1..]).into_iter().filter(|name| !INSTALLERS.contains(name));
    let names: Vec<String> = names.map(str::to_owned).collect();
    if names.is_empty() { Part::Other(Tool::Installer) } else { Part::System(names) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_kind() {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (command, expected) in [
            (
                "python -m pip install --no-cache-dir -r requirements.txt",
                Part::Install(Some("requirements.txt".into())),
            ),
            ("pip3 install --target=/deps -rlist.txt", Part::Install(Some("list.txt".into()))),
            ("pip install --upgrade 'pip==24.0'", Part::Other(Tool::Installer)),
            ("pip install -t deps flask gunicorn==22", Part::Packages(owned(&["flask", "gunicorn==22"]))),
            ("NODE_ENV=production npm ci --omit=dev", Part::Install(None)),
            ("npm install -g pnpm", Part::Other(Tool::Installer)),
            ("yarn", Part::Install(None)),
            ("yarn build", Part::Build),
            ("apt-get update", Part::Other(Tool::Installer)),
            ("apk add --no-cache ca-certificates ffmpeg", Part::System(owned(&["ffmpeg"]))),
            ("chmod +x run.sh", Part::Other(Tool::Image)),
            ("npm run build", Part::Build),
            ("ln -s /tmp/cache ./.next/cache", Part::Build),
        ] {
            assert_eq!(parts(command), [(command.to_owned(), expected)], "{command}");
        }
        let all: Vec<String> = parts("cd app && npm ci; echo 'a && b'\nls").into_iter().map(|(text, _)| text).collect();
        assert_eq!(all, ["cd app", "npm ci", "echo 'a && b'", "ls"]);
    }
}
