//! The option for packages that were built elsewhere.

use clap::Args;

// No doc comment: clap would take it for the command's.
#[derive(Debug, Default, Args)]
pub struct Packages {
    /// Use this zip instead of building; `FUNCTION=ZIP` for one of several functions
    #[arg(long = "package", value_name = "ZIP")]
    pub packages: Vec<String>,
}
