//! Parses what was typed, runs it, and exits.

use clap::Parser;
use lamstream::cli::{Arguments, Colour};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    anstream::ColorChoice::write_global(match arguments.global.color {
        Colour::Auto => anstream::ColorChoice::Auto,
        Colour::Always => anstream::ColorChoice::Always,
        Colour::Never => anstream::ColorChoice::Never,
    });
    lamstream::commands::run(arguments).await
}
