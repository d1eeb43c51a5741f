//! `lamstream invoke`.

use super::help::{Group, Help};
use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

pub(super) const GROUP: Group = Group::Look;

const HELP: Help = Help {
    page: "docs/cli.md#invoke",
    examples: &[
        ("Send a request and show its timing", "lamstream invoke chat /health -v"),
        ("Post JSON", r#"lamstream invoke chat /ask -H 'content-type: application/json' -d '{"q":"hi"}'"#),
        ("Draw when each chunk arrived", "lamstream invoke chat /stream --report stream.html"),
    ],
};

/// Send a request to a function's URL and print the response as it arrives
///
/// The request is signed if the URL's auth is `aws-iam`. Exit 0 for a status below 400, otherwise 1; also 1 if the
/// response is cut off or contains the runtime's error report. The body is on stdout in any case.
///
/// With `-v`, stderr shows the status, the time to the first byte, the number of chunks and the duration, and from the log
/// how long the instance took to start and what Lambda bills. `--output json` puts these, the headers and the body into
/// the document's `response`.
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Invoke {
    /// The function
    pub function: String,
    /// The path, with an optional query
    #[arg(default_value = "/")]
    pub path: String,
    /// The HTTP method [default: GET, or POST with a body]
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub request: Option<String>,
    /// The body, byte for byte: BODY itself, the contents of @FILE, or stdin for - or @-
    #[arg(short, long, value_name = "BODY", allow_hyphen_values = true)]
    pub data: Option<OsString>,
    /// A header as `NAME: VALUE`; repeatable
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub headers: Vec<String>,
    /// Draw when each chunk arrived in FILE.svg or FILE.html, a new file; the body is not in it
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}
