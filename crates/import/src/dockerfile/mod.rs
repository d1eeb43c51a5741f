//! A Dockerfile as far as an import needs it: what each stage copies and runs, and what the image starts.

mod build;
mod shell;
mod syntax;

pub(crate) use build::{Built, Copy, Origin, Run, build, is_lambdas};
pub(crate) use shell::{Part, Tool, parts, words};
pub(crate) use syntax::Start;
