//! `lamstream deploy`.

use super::help::{Group, Help};
use super::packages::Packages;
use super::value::{Percents, percents, time_of_a_step};
use clap::Args;
use std::time::Duration;

pub(super) const GROUP: Group = Group::Ship;

const HELP: Help = Help {
    page: "docs/cli.md#deploy",
    examples: &[
        ("Deploy all functions to AWS", "lamstream deploy"),
        ("Deploy one to the local cloud", "lamstream deploy chat --local"),
        (
            "Shift the traffic in steps, and go back at the first failure",
            "lamstream deploy chat --shift 10,50 --for 10m",
        ),
    ],
};

/// Build functions and make them live, with everything they need
#[derive(Debug, Default, Args)]
#[command(after_help = HELP.text())]
pub struct Deploy {
    /// The functions to deploy [default: all functions of the manifest]
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
    /// Skip the confirmation prompt, which `--local` never shows
    #[arg(short, long)]
    pub yes: bool,
    /// Skip verification of the new version and the URL
    #[arg(long)]
    pub no_verify: bool,
    /// Send this percentage of the traffic to the new release; `promote` or `abort` ends the shift. With `--for`, one or
    /// more percentages such as `10,50`
    #[arg(long, value_name = "PCT", value_parser = percents)]
    pub shift: Option<Percents>,
    /// Hold each percentage of `--shift` for this long and judge the new release; then give it all of the traffic, or take
    /// its share away at the first failure
    #[arg(long = "for", value_name = "TIME", value_parser = time_of_a_step)]
    pub each: Option<Duration>,
    /// Take over resources of the same name that lamstream did not create
    #[arg(long)]
    pub adopt: bool,
    /// With `--local`: give the functions the credentials of this AWS profile, which they otherwise lack
    #[arg(long, value_name = "PROFILE", requires = "local")]
    pub with_credentials: Option<String>,
    /// With `--local`: compile crates as for Lambda, not as quickly as possible
    #[arg(long, requires = "local")]
    pub release: bool,
    /// Whether it is a round of `dev`.
    #[arg(skip)]
    pub repeated: bool,
    #[command(flatten)]
    pub packages: Packages,
}
