//! Parses what was typed, runs it, and exits.

use lamstream::cli::{self, Colour};
use lamstream::report;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let (arguments, again) = match cli::parse(std::env::args_os()) {
        Ok(parsed) => parsed,
        Err(instead) => return report::instead(&instead),
    };
    anstream::ColorChoice::write_global(match arguments.global.color {
        Colour::Auto => anstream::ColorChoice::Auto,
        Colour::Always => anstream::ColorChoice::Always,
        Colour::Never => anstream::ColorChoice::Never,
    });
    lamstream::commands::run(arguments, again).await
}
