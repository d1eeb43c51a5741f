//! `lamstream import`.

use super::MANIFEST;
use super::help::{Group, Help};
use super::value;
use clap::{Args, Subcommand};
use std::path::PathBuf;

pub(super) const GROUP: Group = Group::Tools;

const PAGE: &str = "docs/from-sam.md";

const HELP: Help = Help {
    page: "docs/cli.md#import",
    examples: &[
        ("Import template.yaml", "lamstream import sam"),
        ("Import a crate that cargo-lambda deploys", "lamstream import cargo-lambda"),
        ("Take over a function that is deployed already", "lamstream import function shop-chat"),
    ],
};

const CARGO_LAMBDA: Help = Help {
    page: "docs/from-cargo-lambda.md",
    examples: &[
        ("Write deploy.toml from Cargo.toml and CargoLambda.toml", "lamstream import cargo-lambda"),
        (
            "Import one crate of a workspace, and look at the manifest first",
            "lamstream import cargo-lambda crates/chat --out -",
        ),
    ],
};

const FUNCTION: Help = Help {
    page: "docs/from-a-function.md",
    examples: &[
        ("Write deploy.toml and the function's zip", "lamstream import function shop-chat"),
        ("Look at the manifest first", "lamstream import function shop-chat --region eu-central-1 --out -"),
        ("Choose the app's name", "lamstream import function team-shop-chat --app team-shop"),
    ],
};

const SAM: Help = Help {
    page: PAGE,
    examples: &[
        ("Write deploy.toml from template.yaml", "lamstream import sam"),
        ("Look at the manifest first", "lamstream import sam template.yaml --out -"),
        ("Fill in region and account", "lamstream import sam --region eu-central-1 --account 123456789012"),
    ],
};

/// Write a manifest from another tool's configuration, or from a deployed function
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Import {
    #[command(subcommand)]
    pub command: ImportCommand,
}

#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    Sam(ImportSam),
    CargoLambda(ImportCargoLambda),
    Function(ImportFunction),
}

/// Import an AWS SAM template and the samconfig.toml beside it
///
/// Everything that the manifest supports is imported. The rest is listed on stderr, with its line and what to do
/// about it, and in comments of the manifest. A container image becomes a proposal for a zip, read from its Dockerfile.
///
/// Exit 0 if nothing blocks a deploy, 3 if something does, 2 if the template cannot be read. `--output
/// json` lists the rest in `left_over`, with `blocks` for what blocks a deploy. `--region` sets `AWS::Region`, and
/// takes precedence over samconfig.toml.
#[derive(Debug, Args)]
#[command(after_help = SAM.text())]
pub struct ImportSam {
    /// The template [default: template.yaml, template.yml or template.json]
    #[arg(value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// The manifest to write, which must not exist; - for stdout
    #[arg(long, value_name = "PATH", default_value = MANIFEST, allow_hyphen_values = true)]
    pub out: PathBuf,
    /// The value of `AWS::AccountId`, and the manifest's `account`
    #[arg(long, value_name = "NUMBER", value_parser = value::account)]
    pub account: Option<String>,
}

/// Import the configuration of cargo-lambda: [package.metadata.lambda] of Cargo.toml, and CargoLambda.toml
///
/// Each binary that uses `lambda_runtime` or `lambda_http` becomes a function, and each context of CargoLambda.toml a
/// stage. The rest is listed on stderr, with its line and what to do about it, and in comments of the manifest. Nothing
/// is built.
///
/// Exit 0 if nothing blocks a deploy, 3 if something does, 2 if a file cannot be read. `--output json` lists the rest in
/// `left_over`, with `blocks` for what blocks a deploy.
#[derive(Debug, Args)]
#[command(after_help = CARGO_LAMBDA.text())]
pub struct ImportCargoLambda {
    /// The directory of the crate or the workspace
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub directory: PathBuf,
    /// The manifest to write, which must not exist; - for stdout
    #[arg(long, value_name = "PATH", default_value = MANIFEST, allow_hyphen_values = true)]
    pub out: PathBuf,
}

/// Import a function that is deployed already, and its code
///
/// Reads the function with its URL, log group, tags and layers, writes a manifest, and its code as `NAME.zip` beside it.
/// Shows what `lamstream deploy --adopt` would change. Changes nothing on AWS.
///
/// A function `shop-chat` becomes the function `chat` of the app `shop`, so that lamstream gives it the same name.
/// Variables that look like secrets become `{ env = "NAME" }`.
///
/// Exit 0 if nothing blocks a deploy, 3 if something does, 1 if the function does not exist or cannot be read. `--output
/// json` has the changes in `functions`, and what was not imported in `left_over`.
#[derive(Debug, Args)]
#[command(after_help = FUNCTION.text())]
pub struct ImportFunction {
    /// The function's name on AWS
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The manifest to write, which must not exist; - for stdout, without the code
    #[arg(long, value_name = "PATH", default_value = MANIFEST, allow_hyphen_values = true)]
    pub out: PathBuf,
    /// The app: what NAME begins with, without the `-` after it [default: all before the last `-`]
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
}
