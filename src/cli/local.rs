//! `lamstream local`.

use super::help::{Group, Help};
use super::value::{size, time, whole};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

pub(super) const GROUP: Group = Group::Local;

const PAGE: &str = "docs/cli.md#the-local-cloud";
const ADAPTER_PAGE: &str = "docs/cli.md#the-local-clouds-adapter";

const HELP: Help = Help {
    page: PAGE,
    examples: &[
        ("Deploy to it; it starts automatically", "lamstream deploy --local"),
        ("Point the AWS CLI at it", "eval \"$(lamstream local env)\""),
        ("Forget everything deployed to it", "lamstream local reset"),
    ],
};

const RUN: Help = Help {
    page: "docs/cli.md#the-local-clouds-ports",
    examples: &[("Run it on a fixed port", "lamstream local run --port 4566")],
};

const START: Help = Help {
    page: "docs/cli.md#the-local-clouds-limits",
    examples: &[
        ("Start it", "lamstream local start"),
        ("Start it with AWS's limits and delays", "lamstream local start --like-aws"),
    ],
};

const STATUS: Help = Help { page: PAGE, examples: &[("Print its address", "lamstream local status")] };

const STOP: Help = Help { page: PAGE, examples: &[("Stop it and keep its state", "lamstream local stop")] };

const RESET: Help = Help { page: PAGE, examples: &[("Start over", "lamstream local reset")] };

const ENV: Help = Help { page: PAGE, examples: &[("Point the AWS CLI at it", "eval \"$(lamstream local env)\"")] };

const ADAPTER: Help = Help {
    page: ADAPTER_PAGE,
    examples: &[
        ("Use the executable of an image", "lamstream local adapter install --from lambda-adapter"),
        ("Use the included adapter again", "lamstream local adapter remove"),
    ],
};

const ADAPTER_INSTALL: Help = Help {
    page: ADAPTER_PAGE,
    examples: &[("Use the executable of an image", "lamstream local adapter install --from lambda-adapter")],
};

const ADAPTER_REMOVE: Help =
    Help { page: ADAPTER_PAGE, examples: &[("Use the included adapter again", "lamstream local adapter remove")] };

const LAYER: Help = Help {
    page: PAGE,
    examples: &[(
        "Copy a layer from AWS",
        "lamstream local layer add arn:aws:lambda:eu-west-1:123456789012:layer:tools:3",
    )],
};

const LAYER_ADD: Help = Help {
    page: PAGE,
    examples: &[
        ("Copy a layer from AWS", "lamstream local layer add arn:aws:lambda:eu-west-1:123456789012:layer:tools:3"),
        (
            "Use a zip that you already have",
            "lamstream local layer add arn:aws:lambda:eu-west-1:123456789012:layer:tools:3 tools.zip",
        ),
    ],
};

/// Run and manage the local cloud
#[derive(Debug, Args)]
#[command(after_help = HELP.text())]
pub struct Local {
    #[command(subcommand)]
    pub command: LocalCommand,
    /// The directory for the local cloud's state [default: $XDG_STATE_HOME/lamstream/local]
    #[arg(long, global = true, value_name = "DIR", env = "LAMSTREAM_LOCAL_DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum LocalCommand {
    /// Run the local cloud in the foreground, and print its address first
    #[command(after_help = RUN.text())]
    Run {
        /// The port to listen on; 0 for any free one
        #[arg(long, default_value_t = 0, value_parser = whole(0..=u16::MAX, "a port from 0 to 65535, such as `--port 4566`"))]
        port: u16,
        #[command(flatten)]
        limits: Limits,
    },
    /// Start the local cloud in the background, unless it is already running with these limits
    #[command(after_help = START.text())]
    Start {
        #[command(flatten)]
        limits: Limits,
    },
    /// Show whether the local cloud is running, and its address
    #[command(after_help = STATUS.text())]
    Status,
    /// Stop the local cloud and keep its state
    #[command(after_help = STOP.text())]
    Stop,
    /// Stop the local cloud and delete its state
    #[command(after_help = RESET.text())]
    Reset,
    /// Print export lines that point any AWS tool at the local cloud
    #[command(after_help = ENV.text())]
    Env,
    /// Replace the Lambda Web Adapter that lamstream includes
    #[command(subcommand, after_help = ADAPTER.text())]
    Adapter(AdapterCommand),
    /// Copy layers from other accounts, which the local cloud cannot download
    #[command(subcommand, after_help = LAYER.text())]
    Layer(LayerCommand),
}

#[derive(Debug, Subcommand)]
pub enum AdapterCommand {
    /// Install an executable as the adapter of all web apps on this machine, and print its path
    #[command(after_help = ADAPTER_INSTALL.text())]
    Install {
        /// The executable
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
    /// Remove the installed adapter, and use the one that lamstream includes
    #[command(after_help = ADAPTER_REMOVE.text())]
    Remove,
}

#[derive(Debug, Subcommand)]
pub enum LayerCommand {
    /// Copy a layer version, from AWS with your credentials or from ZIP, and print its path
    #[command(after_help = LAYER_ADD.text())]
    Add {
        /// The ARN of the layer version
        arn: String,
        /// The layer's zip, if you have it
        #[arg(value_name = "ZIP")]
        zip: Option<PathBuf>,
    },
}

/// What a streamed response without a body does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Bodyless {
    End,
    Open,
}

/// Which regions have Function URLs and SnapStart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UrlRegions {
    All,
    Aws,
}

// `src/local/limits.rs` makes options of the local cloud of it. No doc comment: clap would take it for the command's.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Limits and delays")]
pub struct Limits {
    /// Apply all of AWS's limits and delays, except those set explicitly
    #[arg(long)]
    pub like_aws: bool,
    /// How long a new role cannot be assumed [default: 300ms; AWS: about 8s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub role_propagation: Option<Duration>,
    /// How long a new function is pending [default: 100ms; AWS: about 2s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub pending: Option<Duration>,
    /// How long an update is in progress [default: 100ms; AWS: about 2s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub update: Option<Duration>,
    /// How long a version with SnapStart is pending [default: 100ms; AWS: minutes, here 60s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub snapshot: Option<Duration>,
    /// How long a new function, version, alias, URL, role, log group or bucket is not found [default: 0s; AWS: about 1s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub visibility_lag: Option<Duration>,
    /// How long a changed log group, and a role that lost a policy, refuse a change [default: 0s; AWS: about 1s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub conflict_lag: Option<Duration>,
    /// How long the name of a deleted bucket cannot be used [default: 0s; AWS: hours, here 60m]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub bucket_name_lag: Option<Duration>,
    /// When an unused version becomes inactive: its next invocation fails [default: never; AWS: weeks, here 14 days]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub inactive_after: Option<Duration>,
    /// How long a URL ignores a new permission [default: 0s; AWS: about 3s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub url_permission_lag: Option<Duration>,
    /// Bytes per second of a stream, after its first 6 MB [default: no limit; AWS: 2MB]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub stream_rate: Option<u64>,
    /// The longest stream; a longer one is cut off [default: no limit; AWS: 200MB]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub stream_size: Option<u64>,
    /// Lambda API calls per second; more get 429 (GetFunction: 100) [default: no limit; AWS: 15]
    #[arg(long, value_name = "COUNT", value_parser = whole(1..=u32::MAX, "a whole number above 0, such as `--api-rate 15`"))]
    pub api_rate: Option<u32>,
    /// Calls per second of CreateLogGroup, DeleteLogGroup and DescribeLogGroups, each [default: no limit; AWS: 5]
    #[arg(long, value_name = "COUNT", value_parser = whole(1..=u32::MAX, "a whole number above 0, such as `--logs-rate 5`"))]
    pub logs_rate: Option<u32>,
    /// IAM API calls per second [default: no limit; AWS: about 10]
    #[arg(long, value_name = "COUNT", value_parser = whole(1..=u32::MAX, "a whole number above 0, such as `--iam-rate 10`"))]
    pub iam_rate: Option<u32>,
    /// What a streamed response without a body does: end, or stay open until the timeout [default: end; AWS: open]
    #[arg(long, value_name = "HOW")]
    pub bodyless: Option<Bodyless>,
    /// The regions with Function URLs and SnapStart: all, or those of AWS [default: all; AWS: aws]
    #[arg(long, value_name = "WHICH")]
    pub url_regions: Option<UrlRegions>,
    /// Maximum concurrent requests across all functions; more get 429 [default: 1000, as on AWS]
    #[arg(long, value_name = "COUNT", value_parser = whole(0..=usize::MAX, "a whole number, such as `--concurrency 100`"))]
    pub concurrency: Option<usize>,
    /// Block public access like an account with that setting: refuse new public permissions, answer 403 for old ones
    #[arg(long)]
    pub block_public: bool,
    /// Accept requests to Function URLs for any host, such as a tunnel's [default: localhost and loopback addresses]
    #[arg(long)]
    pub public_hosts: bool,
    /// Make creating or updating FUNCTION end in the state Failed; repeatable
    #[arg(long, value_name = "FUNCTION")]
    pub failing: Vec<String>,
}
