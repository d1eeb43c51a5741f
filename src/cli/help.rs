//! The parts of `--help` that clap does not write: groups of commands, examples, and the page of the documentation.

use super::{Arguments, GROUPS};
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

/// A heading of `lamstream --help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Ship,
    Look,
    GoBack,
    Local,
    Tools,
}

impl Group {
    /// In the order of `lamstream --help`.
    const ALL: [Group; 5] = [Group::Ship, Group::Look, Group::GoBack, Group::Local, Group::Tools];

    fn heading(self) -> &'static str {
        match self {
            Group::Ship => "Ship",
            Group::Look => "Look",
            Group::GoBack => "Go back",
            Group::Local => "Local",
            Group::Tools => "Tools",
        }
    }
}

/// Where to find the documentation, which is not installed with the binary and has no public address yet.
const IN_SOURCE: &str = "in lamstream's source code";

/// The end of a command's help.
pub(super) struct Help {
    /// The page of the documentation.
    pub page: &'static str,
    /// One to three examples, each with its purpose and the command line.
    pub examples: &'static [(&'static str, &'static str)],
}

impl Help {
    pub(super) fn text(&self) -> String {
        let heading = |name: &str| format!("{GREEN}{name}:{GREEN:#}");
        let examples = self.examples.iter().map(|(purpose, command)| format!("  # {purpose}\n  {command}\n"));
        let examples: String = examples.collect();
        format!("{}\n{examples}\n{} {} {IN_SOURCE}", heading("Examples"), heading("Documentation"), self.page)
    }
}

/// The help of lamstream itself.
pub(super) const HELP: Help = Help {
    page: "README.md",
    examples: &[
        ("Try your app on this machine", "lamstream deploy --local"),
        ("Review a deploy to AWS, then do it", "lamstream plan && lamstream deploy"),
    ],
};

/// The whole command line, with its help.
pub fn command() -> Command {
    let command = Arguments::command();
    let help = overview(&command);
    command.override_help(help)
}

/// The value of `--color` on the command line. It also applies to the help and to the parser's errors.
pub(super) fn colour(typed: &[OsString]) -> ColorChoice {
    let mut words = typed.iter().filter_map(|word| word.to_str());
    let mut choice = ColorChoice::Auto;
    while let Some(word) = words.next() {
        let when = if word == "--color" { words.next() } else { word.strip_prefix("--color=") };
        choice = when.and_then(|when| when.parse().ok()).unwrap_or(choice);
    }
    choice
}

/// The help of lamstream itself. clap has one list for all commands, so each part is rendered by a temporary command.
fn overview(root: &Command) -> StyledStr {
    let widest = root.get_subcommands().map(|command| command.get_name().len()).max().unwrap_or_default();
    let listed = |name: &&str| {
        let about = root.find_subcommand(name)?.get_about()?.clone();
        Some(Command::new(format!("{name:widest$}")).about(about))
    };
    let part =
        |template: &'static str| Command::new("lamstream").styles(STYLES).max_term_width(WIDTH).help_template(template);
    let groups = Group::ALL.into_iter().map(|group| {
        let names = GROUPS.iter().filter(|(_, of)| *of == group).map(|(name, _)| name);
        let part = part("{all-args}").subcommand_help_heading(group.heading()).disable_help_flag(true);
        part.disable_help_subcommand(true).subcommands(names.filter_map(listed))
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

    /// This command and all below it, with their paths, such as `lamstream local start`.
    fn all<'a>(command: &'a Command, path: &str) -> Vec<(String, &'a Command)> {
        let inner = command.get_subcommands().flat_map(|inner| all(inner, &format!("{path} {}", inner.get_name())));
        std::iter::once((path.to_owned(), command)).chain(inner).collect()
    }

    #[test]
    fn every_command_has_examples_that_parse_and_a_page_that_exists() {
        for (path, command) in all(&Arguments::command(), "lamstream") {
            let usage = command.get_after_help().expect(&path).to_string();
            let examples: Vec<&str> =
                usage.lines().filter(|line| line.starts_with("  ") && !line.contains("# ")).collect();
            assert!((1..=3).contains(&examples.len()), "{path}: {usage}");
            for example in examples {
                let typed = example.split("&&").flat_map(|part| part.split("lamstream ").nth(1));
                for typed in typed.map(|typed| typed.split([')', '|', '<', '>']).next().unwrap_or(typed)) {
                    let words = shlex::split(&format!("lamstream {typed}")).expect(typed);
                    let parsed = Arguments::command().try_get_matches_from(words);
                    assert!(parsed.is_ok(), "{example}: {}", parsed.expect_err("an error"));
                }
                assert!(example.contains("lamstream "), "{example}");
            }
            let (_, page) = usage.split_once("Documentation: ").expect("a page");
            let page = page.strip_suffix(IN_SOURCE).expect("where the page is").trim_end();
            let (file, heading) = page.split_once('#').unwrap_or((page, ""));
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
        let mut grouped: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
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
