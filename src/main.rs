//! Parses the command line, runs the command, and exits. Started under the name of Lambda Web Adapter, it is the adapter.

use anstream::ColorChoice;
use lamstream::cli::{self, Colour};
use lamstream::report;
use std::process::ExitCode;

mod closed;

fn main() -> ExitCode {
    if adapter::is_called() {
        return adapter::run();
    }
    if closed::is_stdout_closed() {
        report::note_closed_stdout();
    }
    match lamstream::commands::complete() {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        Err(error) => return report::instead(&error),
    }
    unset_blank_variables();
    let (arguments, again) = match cli::parse(std::env::args_os()) {
        Ok(parsed) => parsed,
        Err(instead) => return report::instead(&instead),
    };
    choose_colour(arguments.global.color);
    lamstream::commands::run(arguments, again)
}

/// Sets the colour choice for lamstream's own output, and for cargo and all other programs that it starts.
#[expect(unsafe_code, reason = "a variable can only be set while there is one thread")]
fn choose_colour(colour: Colour) {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let (choice, cargo) = match colour {
        Colour::Auto => (ColorChoice::Auto, no_color.then_some("never")),
        Colour::Always => (ColorChoice::Always, Some("always")),
        Colour::Never => (ColorChoice::Never, Some("never")),
    };
    choice.write_global();
    let others = (colour == Colour::Never).then_some(("NO_COLOR", "1"));
    for (name, value) in cargo.map(|when| ("CARGO_TERM_COLOR", when)).into_iter().chain(others) {
        // SAFETY: this is the only thread, because none has been started yet.
        unsafe { std::env::set_var(name, value) };
    }
}

/// Unsets blank variables: CI systems set variables without a value to the empty string, which the SDK takes for a
/// value.
#[expect(unsafe_code, reason = "a variable can only be unset while there is one thread")]
fn unset_blank_variables() {
    for name in lamstream::aws::blank_variables() {
        // SAFETY: this is the only thread, because none has been started yet.
        unsafe { std::env::remove_var(name) };
    }
}
