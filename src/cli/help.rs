//! What `--help` shows besides clap's own text: groups of commands, examples, and the page of the documentation.

use super::Arguments;
use crate::text::palette::{CYAN, GREEN, PLACEHOLDER, RED, YELLOW};
use clap::builder::{StyledStr, Styles};
use clap::{ColorChoice, Command, CommandFactory};
use std::ffi::OsString;

/// The longest line of help, in columns.
pub(super) const WIDTH: usize = 100;
pub(super) const STYLES: Styles = Styles::styled()
    .header(GREEN)
    .usage(GREEN)
    .literal(CYAN)
    .placeholder(PLACEHOLDER)
    .error(RED)
    .valid(CYAN)
    .invalid(YELLOW);

/// The commands in the order in which `lamstream --help` lists them.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Ship", &["plan", "deploy", "promote"]),
    ("Look", &["status", "releases", "url", "logs", "invoke"]),
    ("Go back", &["rollback", "abort", "destroy"]),
    ("Local", &["local"]),
    ("Tools", &["build", "import"]),
];

/// For each command `== COMMAND == PAGE`, then its examples, each below a comment.
const EXAMPLES: &str = include_str!("examples.txt");

/// The whole command line, with its help.
pub(super) fn command() -> Command {
    let command = explained(Arguments::command(), "lamstream");
    let help = overview(&command);
    command.override_help(help)
}

/// What the command line asks for in `--color`, which counts in the help and in the errors of the parser, too.
pub(super) fn colour(typed: &[OsString]) -> ColorChoice {
    let mut words = typed.iter().filter_map(|word| word.to_str());
    let mut choice = ColorChoice::Auto;
    while let Some(word) = words.next() {
        let when = if word == "--color" { words.next() } else { word.strip_prefix("--color=") };
        choice = when.and_then(|when| when.parse().ok()).unwrap_or(choice);
    }
    choice
}

/// Adds the examples and the page to a command and to all below it.
fn explained(command: Command, path: &str) -> Command {
    let command = command.after_help(usage(path).unwrap_or_default());
    command.mut_subcommands(|inner| {
        let path = format!("{path} {}", inner.get_name());
        explained(inner, &path)
    })
}

fn usage(path: &str) -> Option<String> {
    let section = EXAMPLES.split("== ").skip_while(|name| name.trim_end() != path).nth(1)?;
    let (page, examples) = section.split_once('\n')?;
    let heading = |name: &str| format!("{GREEN}{name}:{GREEN:#}");
    Some(format!("{}\n{}\n\n{} {page}", heading("Examples"), examples.trim_end(), heading("Documentation")))
}

/// The help of lamstream itself. clap has one list for all commands, so each part is rendered by a command of its own.
fn overview(root: &Command) -> StyledStr {
    let widest = root.get_subcommands().map(|command| command.get_name().len()).max().unwrap_or_default();
    let listed = |name: &&str| {
        let about = root.find_subcommand(name)?.get_about()?.clone();
        Some(Command::new(format!("{name:widest$}")).about(about))
    };
    let part =
        |template: &'static str| Command::new("lamstream").styles(STYLES).max_term_width(WIDTH).help_template(template);
    let groups = GROUPS.iter().map(|(heading, names)| {
        let group = part("{all-args}").subcommand_help_heading(*heading).disable_help_flag(true);
        group.disable_help_subcommand(true).subcommands(names.iter().filter_map(listed))
    });
    let head = root.clone().help_template("{about}\n\n{usage-heading} {usage}");
    let options = part("{all-args}").version(env!("CARGO_PKG_VERSION")).args(root.get_arguments().cloned());
    let tail = root.clone().help_template("{after-help}");
    let parts = std::iter::once(head).chain(groups).chain([options, tail]);
    let parts: Vec<String> = parts.map(|mut part| part.render_help().ansi().to_string().trim().to_owned()).collect();
    parts.join("\n\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The paths of all commands below this one, such as `lamstream local start`.
    fn paths(command: &Command, path: &str) -> Vec<String> {
        let inner = command.get_subcommands().flat_map(|inner| paths(inner, &format!("{path} {}", inner.get_name())));
        std::iter::once(path.to_owned()).chain(inner).collect()
    }

    #[test]
    fn every_command_has_examples_that_parse_and_a_page_that_exists() {
        let paths = paths(&Arguments::command(), "lamstream");
        assert_eq!(EXAMPLES.matches("== lamstream").count(), paths.len());
        for path in paths {
            let usage = anstream::adapter::strip_str(&usage(&path).expect(&path)).to_string();
            let examples: Vec<&str> =
                usage.lines().filter(|line| line.starts_with("  ") && !line.contains("# ")).collect();
            assert!((1..=3).contains(&examples.len()), "{path}: {usage}");
            for example in examples {
                let typed = example.split("&&").flat_map(|part| part.split("lamstream ").nth(1));
                for typed in typed.map(|typed| typed.split([')', '|']).next().unwrap_or(typed)) {
                    let words = shlex::split(&format!("lamstream {typed}")).expect(typed);
                    let parsed = Arguments::command().try_get_matches_from(words);
                    assert!(parsed.is_ok(), "{example}: {}", parsed.expect_err("an error"));
                }
                assert!(example.contains("lamstream "), "{example}");
            }
            let (_, page) = usage.split_once("Documentation: ").expect("a page");
            let (file, heading) = page.trim().split_once('#').unwrap_or((page.trim(), ""));
            let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect(page);
            let headings = text.lines().filter(|line| line.starts_with('#'));
            let mut anchors = headings.map(|line| {
                let line = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                line.chars().filter(|letter| letter.is_alphanumeric() || *letter == '-').collect::<String>()
            });
            assert!(heading.is_empty() || anchors.any(|anchor| anchor == heading), "{path}: {page}");
        }
    }

    #[test]
    fn every_command_is_in_one_group() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let root = Arguments::command();
        let mut known: Vec<&str> = root.get_subcommands().map(Command::get_name).collect();
        grouped.sort_unstable();
        known.sort_unstable();
        assert_eq!(grouped, known);
    }

    #[test]
    fn colour_is_taken_from_the_command_line_even_if_it_is_wrong() {
        let choice = |typed: &str| colour(&typed.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(choice("lamstream --color never nonsense"), ColorChoice::Never);
        assert_eq!(choice("lamstream --color=always --color"), ColorChoice::Always);
        assert_eq!(choice("lamstream deploy --color sometimes"), ColorChoice::Auto);
    }
}
