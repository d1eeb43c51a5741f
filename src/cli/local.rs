//! The arguments and options of `lamstream local`.

use super::{size, time};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
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
    Run {
        /// The port to listen on; 0 for any free one
        #[arg(long, default_value_t = 0)]
        port: u16,
        #[command(flatten)]
        limits: Limits,
    },
    /// Start the local cloud in the background, unless it is already running with these limits
    Start {
        #[command(flatten)]
        limits: Limits,
    },
    /// Show whether the local cloud is running, and its address
    Status,
    /// Stop the local cloud and keep its state
    Stop,
    /// Stop the local cloud and delete its state
    Reset,
    /// Print export lines that point any AWS tool at the local cloud
    Env,
    /// Install Lambda Web Adapter, which web apps need here as on Lambda
    #[command(subcommand)]
    Adapter(AdapterCommand),
    /// Copy layers of other accounts, which the local cloud cannot download
    #[command(subcommand)]
    Layer(LayerCommand),
}

#[derive(Debug, Subcommand)]
pub enum AdapterCommand {
    /// Build the adapter with cargo, once, and print its path
    Install {
        /// Install this executable instead of building one
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum LayerCommand {
    /// Copy a layer version, from AWS with your credentials or from ZIP, and print its path
    Add {
        /// The ARN of the layer version
        arn: String,
        /// The layer's zip, if you have it
        #[arg(value_name = "ZIP")]
        zip: Option<PathBuf>,
    },
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
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub api_rate: Option<u32>,
    /// Maximum concurrent requests across all functions; more get 429 [default: 1000, as on AWS]
    #[arg(long, value_name = "COUNT")]
    pub concurrency: Option<usize>,
    /// Block public access, as an account can: new public permissions are refused, old ones answer 403
    #[arg(long)]
    pub block_public: bool,
    /// Accept requests to Function URLs for any host, such as a tunnel's [default: localhost and loopback addresses]
    #[arg(long)]
    pub public_hosts: bool,
    /// A function whose creation and updates end in the state Failed; repeatable
    #[arg(long, value_name = "FUNCTION")]
    pub failing: Vec<String>,
}
