//! Parses what was typed, runs it, and exits.

use lamstream::cli::{self, Colour};
use lamstream::report;
use std::process::ExitCode;

fn main() -> ExitCode {
    unset_blank_variables();
    let (arguments, again) = match cli::parse(std::env::args_os()) {
        Ok(parsed) => parsed,
        Err(instead) => return report::instead(&instead),
    };
    anstream::ColorChoice::write_global(match arguments.global.color {
        Colour::Auto => anstream::ColorChoice::Auto,
        Colour::Always => anstream::ColorChoice::Always,
        Colour::Never => anstream::ColorChoice::Never,
    });
    lamstream::commands::run(arguments, again)
}

/// CI systems set variables that have no value to the empty string, which the SDK takes for a value.
#[expect(unsafe_code, reason = "a variable can only be unset while there is one thread")]
fn unset_blank_variables() {
    for name in lamstream::aws::blank_variables() {
        // SAFETY: this is the only thread: nothing was started before.
        unsafe { std::env::remove_var(name) };
    }
}
