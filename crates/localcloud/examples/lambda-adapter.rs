//! Lambda Web Adapter as a program, for the tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    adapter::run()
}
