//! Failures of programs that could not be functions.

use super::{Failure, FailureKind};

impl Failure {
    /// A program that no request would ever reach.
    pub(crate) fn never_asks(function: &str, program: &str) -> Failure {
        let message = format!(
            "cannot deploy `{function}`: its program `{program}` never asks Lambda for a request, because it does not contain a \
             client of Lambda's Runtime API"
        );
        Failure::own(FailureKind::Build, message)
            .hint(format!(
                "if it is an HTTP server, set the port that it listens on: `port = 8080` in `[functions.{function}]`"
            ))
            .hint("if it is a handler, run it with `lambda_http` or `lambda_runtime`")
    }
}
