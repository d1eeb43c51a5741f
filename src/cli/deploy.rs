//! `lamstream deploy`.

use super::help::{Group, Help};
use super::packages::Packages;
use super::value::whole;
use clap::Args;

pub(super) const GROUP: Group = Group::Ship;

const HELP: Help = Help {
    page: "docs/cli.md#deploy",
    examples: &[
        ("Deploy all functions to AWS", "lamstream deploy"),
        ("Deploy one to the local cloud", "lamstream deploy chat --local"),
        ("Shift 10% of the traffic first", "lamstream deploy chat --shift 10"),
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
    /// Send this percentage of the traffic to the new release; `promote` or `abort` ends the shift
    #[arg(long, value_name = "PCT", value_parser = whole(1..=99u8, "a whole number from 1 to 99, such as `--shift 10`"))]
    pub shift: Option<u8>,
    /// Take over resources of the same name that lamstream did not create
    #[arg(long)]
    pub adopt: bool,
    /// With `--local`: give the functions the credentials of this AWS profile, which they otherwise lack
    #[arg(long, value_name = "PROFILE", requires = "local")]
    pub with_credentials: Option<String>,
    /// With `--local`: compile crates as for Lambda, not as quickly as possible
    #[arg(long, requires = "local")]
    pub release: bool,
    #[command(flatten)]
    pub packages: Packages,
}
