//! `lamstream dev`.

use super::deploy::Deploy;
use super::help::{Group, Help};
use clap::Args;

pub(super) const GROUP: Group = Group::Local;

const HELP: Help = Help {
    page: "docs/dev.md",
    examples: &[
        ("Serve all functions, and deploy them again at every edit", "lamstream dev"),
        ("Serve one at a port of your choice", "lamstream dev chat --port 8000"),
        ("Send requests from a page, and see when each chunk of the response arrives", "lamstream dev --open"),
    ],
};

/// Deploy to the local cloud again whenever a file changes
///
/// Crates are compiled quickly, web apps are packaged again, and every release is checked. If a build or a check fails,
/// the last good release keeps serving. Ctrl-C ends everything.
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Dev {
    /// The functions to serve [default: all functions of the manifest]
    #[arg(value_name = "FUNCTION")]
    pub functions: Vec<String>,
    /// Also serve the function's URL at this port of 127.0.0.1
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Open a page that sends requests and shows responses, checks, logs and releases
    ///
    /// Without a screen, lamstream only prints the page's address.
    #[arg(long)]
    pub open: bool,
    /// Skip verification of the new version and the URL
    #[arg(long)]
    pub no_verify: bool,
    /// Compile crates as for Lambda, not as quickly as possible
    #[arg(long)]
    pub release: bool,
    /// Give the functions the credentials of this AWS profile, which they otherwise lack
    #[arg(long, value_name = "PROFILE")]
    pub with_credentials: Option<String>,
}

impl Dev {
    /// One deploy of the loop.
    pub fn deploy(&self) -> Deploy {
        Deploy {
            functions: self.functions.clone(),
            no_verify: self.no_verify,
            release: self.release,
            repeated: true,
            with_credentials: self.with_credentials.clone(),
            ..Deploy::default()
        }
    }
}
