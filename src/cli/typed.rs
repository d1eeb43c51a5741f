//! Completes the commands in hints, so that they work on the same app, stage, account and region.

use super::{Arguments, Command, ImportCommand};
use crate::report::CommandLine;
use crate::text::quoted;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, CommandFactory};
use std::ffi::{OsStr, OsString};
use std::sync::OnceLock;

/// Arguments that may contain a secret. Hints do not repeat them.
const NOT_REPEATED: [&str; 2] = ["data", "headers"];

/// The options that commands in hints need to work on the same app, stage, account and region as this run.
#[derive(Clone, Debug, Default)]
pub struct TypedCommand {
    /// All commands, such as `deploy` and `local start`, those with more words first.
    known: Vec<String>,
    /// The command that runs.
    running: String,
    /// Its options and positional arguments as they were typed, except for the global options.
    options: Vec<(String, String)>,
    positionals: Vec<String>,
    /// The options for commands that read the manifest, then those for each kind of other commands.
    manifest: Vec<String>,
    account: Vec<String>,
    import: Vec<String>,
    init: Vec<String>,
    local: Vec<String>,
    layer: Vec<String>,
    /// The options for the aws CLI, which does not read the manifest.
    aws: Vec<String>,
    /// The region in use, also for the aws CLI; empty until it is known.
    region: OnceLock<String>,
}

impl TypedCommand {
    pub fn of(matches: &ArgMatches, arguments: &Arguments) -> TypedCommand {
        let global = &arguments.global;
        let option = |name: &str, value: Option<&OsStr>| {
            value.filter(|value| !value.is_empty()).map(|value| spelled(name, value)).into_iter().collect::<Vec<_>>()
        };
        let profile = option("--profile", global.profile.as_deref().map(OsStr::new));
        let region = option("--region", global.region.as_deref().map(OsStr::new));
        // The stage is repeated even if LAMSTREAM_STAGE sets it, because a command from a CI log may be run elsewhere.
        let stage = option("--stage", global.stage.as_deref().map(OsStr::new));
        let local: &[&str] = if global.local { &["--local"] } else { &[] };
        let path = manifest(arguments).filter(|path| path != super::MANIFEST);
        let directory = option("-C", global.change_to.as_deref().map(|directory| directory.as_os_str()));
        // LAMSTREAM_LOCAL_DIR is not repeated: it applies to this machine, and all commands read it.
        let is_typed = |matches: &ArgMatches| matches.value_source("data") == Some(ValueSource::CommandLine);
        let data = match (&arguments.command, matches.subcommand()) {
            (Command::Local(local), Some((_, matches))) if is_typed(matches) => {
                option("--data", local.data.as_deref().map(|data| data.as_os_str()))
            }
            _ => Vec::new(),
        };
        let root = Arguments::command();
        let (running, options, positionals) = typed(matches, &root);
        let mut known = Vec::new();
        paths(&root, "", &mut known);
        known.sort_by_key(|path| std::cmp::Reverse(path.len()));
        let manifest = option("--manifest", path.as_deref());
        let manifest = [directory.clone(), manifest, stage, profile.clone(), region.clone()].concat();
        let manifest = manifest.into_iter().chain(local.iter().map(|flag| (*flag).to_owned())).collect();
        // The profile is repeated for `aws` even if a variable sets it, to show which one is used.
        let named = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].into_iter().find_map(std::env::var_os);
        let named = if profile.is_empty() { option("--profile", named.as_deref()) } else { profile.clone() };
        let account = [profile.clone(), region.clone()].concat();
        let account = account.into_iter().chain(local.iter().map(|flag| (*flag).to_owned())).collect();
        let import = [directory.clone(), region].concat();
        let (init, local, layer, aws) = (directory, data, profile, named);
        let region = global.region.clone().filter(|region| !region.is_empty());
        let region = region.map_or_else(OnceLock::new, OnceLock::from);
        TypedCommand {
            known,
            running,
            options,
            positionals,
            manifest,
            account,
            import,
            init,
            local,
            layer,
            aws,
            region,
        }
    }

    fn code(&self, code: &str) -> String {
        const PROGRAM: &str = "lamstream ";
        if code.starts_with("aws ") {
            let is_new = |option: &&str| {
                let name = option.split([' ', '=']).next().unwrap_or_default();
                !code.split([' ', '=']).any(|word| word == name)
            };
            let region = self.region.get().map(|region| spelled("--region", OsStr::new(region)));
            let more = self.aws.iter().chain(&region).map(String::as_str).filter(is_new);
            return std::iter::once(code).chain(more).collect::<Vec<_>>().join(" ");
        }
        let Some(at) = code.find(PROGRAM) else { return code.to_owned() };
        let (before, rest) = code.split_at(at + PROGRAM.len());
        let ends = |after: &&str| !after.starts_with(|letter: char| letter.is_alphanumeric() || letter == '-');
        let named = self.known.iter().find_map(|path| {
            let after = rest.strip_prefix(path.as_str()).filter(ends)?;
            Some((path, after))
        });
        let Some((path, after)) = named else { return code.to_owned() };
        let mut words = vec![path.as_str()];
        words.extend(self.place(path).iter().map(String::as_str));
        let more: Vec<&str> = after.split_whitespace().collect();
        if *path == self.running {
            let is_named = more.first().is_some_and(|word| !word.starts_with('-'));
            words.extend(self.positionals.iter().filter(|_| !is_named).map(String::as_str));
            let new = self.options.iter().filter(|(name, _)| !more.contains(&name.as_str()));
            words.extend(new.map(|(_, words)| words.as_str()));
        }
        format!("{before}{}{after}", words.join(" "))
    }

    fn place(&self, path: &str) -> &[String] {
        match path.split_once(' ').unwrap_or((path, "")) {
            ("local", layer) if layer.starts_with("layer") => &self.layer,
            // The adapter is installed for all local clouds of this machine.
            ("local", adapter) if adapter.starts_with("adapter") => &[],
            ("local", _) => &self.local,
            ("import", "function") => &self.account,
            ("import", _) => &self.import,
            ("init", _) => &self.init,
            // They are the same everywhere.
            ("completions" | "man" | "schema", _) => &[],
            _ => &self.manifest,
        }
    }
}

impl CommandLine for TypedCommand {
    fn running(&self) -> &str {
        &self.running
    }

    /// A command is in backticks and starts with `lamstream`, or with `aws` if it uses the same account. The command
    /// that runs is repeated with the arguments that were typed: a hint to add an option must not apply to more
    /// functions.
    fn complete(&self, text: &str) -> String {
        let parts = text.split('`').enumerate();
        let parts: Vec<String> =
            parts.map(|(nth, part)| if nth % 2 == 1 { self.code(part) } else { part.to_owned() }).collect();
        parts.join("`")
    }

    /// A region that was typed is kept.
    fn set_region(&self, region: &str) {
        self.region.get_or_init(|| region.to_owned());
    }
}

/// The manifest that later commands read. For an import or `init`, this is the one that it writes.
fn manifest(arguments: &Arguments) -> Option<OsString> {
    match &arguments.command {
        Command::Import(import) => {
            let out = match &import.command {
                ImportCommand::Sam(arguments) => &arguments.out,
                ImportCommand::CargoLambda(arguments) => &arguments.out,
                ImportCommand::Function(arguments) => &arguments.out,
            };
            Some(out.as_os_str().to_owned()).filter(|out| out != "-")
        }
        Command::Init(init) => Some(init.manifest().into_os_string()),
        _ => Some(arguments.global.manifest.clone().into_os_string()),
    }
}

fn spelled(name: &str, value: &OsStr) -> String {
    let value = quoted(value);
    // As a separate word, the value would be read as an option.
    if value.starts_with('-') { format!("{name}={value}") } else { format!("{name} {value}") }
}

/// Collects the paths of all commands below this one.
fn paths(command: &clap::Command, above: &str, known: &mut Vec<String>) {
    for inner in command.get_subcommands() {
        let path = format!("{above}{}", inner.get_name());
        paths(inner, &format!("{path} "), known);
        known.push(path);
    }
}

/// The command that runs, its own options, and its positional arguments, as they were typed.
fn typed(matches: &ArgMatches, root: &clap::Command) -> (String, Vec<(String, String)>, Vec<String>) {
    let (mut matches, mut command, mut path) = (matches, root, Vec::new());
    while let Some((name, inner)) = matches.subcommand() {
        path.push(name);
        matches = inner;
        command = command.find_subcommand(name).unwrap_or(command);
    }
    let (mut options, mut positionals) = (Vec::new(), Vec::new());
    for argument in command.get_arguments() {
        let id = argument.get_id().as_str();
        let is_typed = matches.try_contains_id(id).is_ok()
            && matches.value_source(id) == Some(ValueSource::CommandLine)
            && !argument.is_global_set()
            && !NOT_REPEATED.contains(&id);
        if !is_typed {
            continue;
        }
        let values = || matches.get_raw(id).into_iter().flatten();
        match argument.get_long() {
            None => positionals.extend(values().map(quoted)),
            Some(long) if matches!(argument.get_action(), ArgAction::SetTrue) => {
                options.push((format!("--{long}"), format!("--{long}")));
            }
            Some(long) => {
                let long = format!("--{long}");
                options.extend(values().map(|value| (long.clone(), spelled(&long, value))));
            }
        }
    }
    (path.join(" "), options, positionals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    fn again(typed: &str) -> TypedCommand {
        let words = shlex::split(typed).unwrap();
        let matches = Arguments::command().try_get_matches_from(words).unwrap();
        TypedCommand::of(&matches, &Arguments::from_arg_matches(&matches).unwrap())
    }

    #[test]
    fn commands_are_about_the_same_place() {
        let all = "--manifest 'my app/deploy.toml' --stage \"it's\" --profile prod --region eu-west-1";
        let table = [
            ("destroy --local", "run `lamstream destroy --yes`", "run `lamstream destroy --local --yes`"),
            ("--local destroy", "run `lamstream destroy --yes`", "run `lamstream destroy --local --yes`"),
            (
                "destroy chat 'a b' --keep-logs --output json -v",
                "`lamstream destroy --yes`",
                "`lamstream destroy chat 'a b' --keep-logs --yes`",
            ),
            ("rollback --to 3", "`lamstream rollback --yes`", "`lamstream rollback --to 3 --yes`"),
            (
                "deploy --package=a=b.zip --yes",
                "`lamstream deploy --yes`",
                "`lamstream deploy --package 'a=b.zip' --yes`",
            ),
            ("url --region ''", "`lamstream deploy`", "`lamstream deploy`"),
            ("url --stage=-x", "`lamstream deploy`", "`lamstream deploy --stage=-x`"),
            ("invoke chat -d secret -H 'a: secret'", "`lamstream invoke -v`", "`lamstream invoke chat -v`"),
            (
                "import sam a.yaml --out 'b c.toml' --region r1",
                "`lamstream import sam FILE`, `lamstream plan`",
                "`lamstream import sam --region r1 --out 'b c.toml' FILE`, `lamstream plan --manifest 'b c.toml' --region r1`",
            ),
            (
                "local status --data 'x y'",
                "`lamstream local start`, `eval \"$(lamstream local env)\"`, `lamstream local adapter remove`",
                "`lamstream local start --data 'x y'`, `eval \"$(lamstream local env --data 'x y')\"`, \
                 `lamstream local adapter remove`",
            ),
            (
                "local layer add arn:x --profile prod",
                "`lamstream local layer add ARN`",
                "`lamstream local layer add --profile prod ARN`",
            ),
            (
                "plan --profile 'it is' --region r1",
                "log in (`aws sso login`) or point `aws` at it",
                "log in (`aws sso login --profile 'it is' --region r1`) or point `aws` at it",
            ),
            (
                "init 'my app' --region r1",
                "`lamstream deploy --local`, `lamstream init DIR`",
                "`lamstream deploy --manifest 'my app/deploy.toml' --region r1 --local`, `lamstream init DIR`",
            ),
            ("init . -C 'my app'", "`lamstream deploy --local`", "`lamstream deploy -C 'my app' --local`"),
            ("status --local", "lamstream deploys; `lamstream deploys`", "lamstream deploys; `lamstream deploys`"),
        ];
        for (typed, hint, expected) in table {
            assert_eq!(again(&format!("lamstream {typed}")).complete(hint), expected, "{typed}");
        }
        let completed =
            again(&format!("lamstream url {all}")).complete("end it: `lamstream promote` or `lamstream abort`");
        assert_eq!(completed, format!("end it: `lamstream promote {all}` or `lamstream abort {all}`"));
    }

    /// The aws CLI does not read the manifest, so its commands name the region in use. lamstream's commands find it in
    /// the manifest again.
    #[test]
    fn commands_of_the_aws_cli_are_about_the_region_that_was_found() {
        let hint = "`aws ssm get-parameter`, `aws ssm get-parameter --region=r3`, `lamstream plan`";
        for (typed, expected) in [
            ("plan", "`aws ssm get-parameter --region r2`, `aws ssm get-parameter --region=r3`, `lamstream plan`"),
            (
                "plan --region r1",
                "`aws ssm get-parameter --region r1`, `aws ssm get-parameter --region=r3`, `lamstream plan --region r1`",
            ),
        ] {
            let again = again(&format!("lamstream {typed}"));
            again.set_region("r2");
            assert_eq!(again.complete(hint), expected, "{typed}");
        }
    }

    /// A new command is known without further changes, and accepts the options that are added to it.
    #[test]
    fn every_command_takes_what_it_is_completed_with() {
        let again = again("lamstream url --manifest m --stage s --profile p --region r");
        assert!(again.known.len() > 20, "{:?}", again.known);
        let root = Arguments::command();
        for path in &again.known {
            let completed = again.complete(&format!("`lamstream {path}`"));
            let words = shlex::split(completed.trim_matches('`')).unwrap();
            let options = words.iter().filter(|word| word.starts_with("--"));
            let mut command = &root;
            let mut all: Vec<String> = Vec::new();
            for name in path.split(' ') {
                all.extend(command.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?))));
                command = command.find_subcommand(name).unwrap();
            }
            for option in options {
                assert!(all.contains(option), "`{path}` does not take {option}");
            }
        }
    }
}
