//! An embedded cloud on loopback: enough of AWS to deploy streaming functions and really run them.

mod cloud;
mod connection;
mod data;
mod disk;
mod download;
mod extension;
mod guard;
mod iam;
mod journal;
mod lambda;
mod logs;
mod payload;
mod peer;
mod place;
mod route;
mod runtime;
mod s3;
mod sandbox;
mod secretsmanager;
mod server;
mod sign;
mod socket;
mod ssm;
mod sts;
mod url;
mod uses;
mod wire;
mod world;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The account everything belongs to.
pub const ACCOUNT: &str = "000000000000";
/// The region used where a request names none.
pub const REGION: &str = "us-east-1";
/// The file that marks a directory as ours.
pub const MARKER: &str = ".lamstream-local-cloud";
/// A file of a data directory that this crate leaves to the program around it, as a lock for who starts, stops and erases
/// clouds there; [`erase`] deletes it last.
pub const LOCK: &str = ".lamstream-local-cloud.lock";

/// How this cloud behaves; `Options::new` is what a user's daemon has.
#[derive(Debug, Clone)]
pub struct Options {
    /// Everything that is kept, created 0700 if absent.
    pub data: PathBuf,
    /// How long a new role cannot be assumed.
    pub role_propagation: Duration,
    /// How long a created function or published version stays `Pending`.
    pub pending: Duration,
    /// How long `LastUpdateStatus` stays `InProgress`.
    pub update: Duration,
    /// How long a new policy statement takes to be honoured by the URL.
    pub url_permission_lag: Duration,
    /// How long a process has until its first `/next`.
    pub init_timeout: Duration,
    /// An instance idle for this long is ended.
    pub idle: Duration,
    /// How many instances may live at once, all functions together.
    pub concurrency: usize,
    /// Bytes a second that a stream may carry after its first 6 MB; without end when none.
    pub stream_rate: Option<u64>,
    /// Bytes that a stream may carry in all.
    pub stream_size: Option<u64>,
    /// Calls of Lambda's control plane a second, GetFunction apart, which then has 100 of its own; not counted when none.
    pub api_rate: Option<u32>,
    /// Whether the account blocks public access: no statement that lets everybody in, and no answer by the old ones.
    pub block_public: bool,
    /// Whether Function URLs answer for any host, as behind a tunnel; else for this machine's own names and addresses alone.
    pub public_hosts: bool,
    /// How long the head of a request may take, from its first byte or from the beginning of the connection.
    pub head_timeout: Duration,
    /// Functions that fail to be made or updated.
    pub failing: Vec<String>,
    /// The program of Lambda Web Adapter, which its layers are made of; looked for when it is needed.
    pub adapter: Option<PathBuf>,
    /// A directory with layers of others, each a zip that is named as [`layer_file`] says.
    pub layers: Option<PathBuf>,
    /// Whether layers are mounted at `/opt`, where the system allows it; else they are used from where they are.
    pub mount_layers: bool,
}

impl Options {
    /// The defaults over one data directory.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            role_propagation: Duration::from_millis(300),
            pending: Duration::from_millis(100),
            update: Duration::from_millis(100),
            url_permission_lag: Duration::ZERO,
            init_timeout: Duration::from_secs(10),
            idle: Duration::from_secs(300),
            concurrency: 1000,
            stream_rate: None,
            stream_size: None,
            api_rate: None,
            block_public: false,
            public_hosts: false,
            head_timeout: Duration::from_secs(10),
            failing: Vec::new(),
            adapter: None,
            layers: None,
            mount_layers: true,
        }
    }

    /// AWS's own limits, and moments as long as they usually are there.
    pub fn like_aws(data: impl Into<PathBuf>) -> Self {
        Self {
            role_propagation: Duration::from_secs(8),
            pending: Duration::from_secs(2),
            update: Duration::from_secs(2),
            url_permission_lag: Duration::from_secs(3),
            stream_rate: Some(2 * 1024 * 1024),
            stream_size: Some(200 * 1024 * 1024),
            api_rate: Some(15),
            ..Self::new(data)
        }
    }
}

/// The name under which `Options::layers` holds the layer version of an ARN.
pub fn layer_file(arn: &str) -> String {
    format!("{}.zip", arn.replace([':', '/'], "_"))
}

/// Whether a layer's version is one of those that are made of `Options::adapter`.
pub fn is_adapter_layer(arn: &str) -> bool {
    world::configuration::is_adapter(arn)
}

/// The key pair that every API call is signed with.
#[derive(Clone)]
pub struct Credentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &"…")
            .finish()
    }
}

/// Reads the key pair of a data directory, making it when absent.
pub fn credentials(data: &Path) -> anyhow::Result<Credentials> {
    data::credentials(data)
}

/// Reads the key pair of a data directory that has one, and makes nothing.
///
/// # Errors
/// When there is none.
pub fn known_credentials(data: &Path) -> anyhow::Result<Credentials> {
    data::read_key_pair(data)
}

/// Makes a data directory, or takes one that is empty or ours.
///
/// # Errors
/// When it cannot be made, or holds something else.
pub fn prepare(data: &Path) -> anyhow::Result<()> {
    place::prepare(data)
}

/// Whether `data` is a data directory, be it one that is half made or half deleted.
pub fn is_data_directory(data: &Path) -> bool {
    place::standing(data).is_ok_and(|standing| standing == place::Standing::Ours)
}

/// Whether `data` holds something else, which no cloud may take or delete.
pub fn is_foreign(data: &Path) -> bool {
    place::standing(data).map_or(true, |standing| standing == place::Standing::Foreign)
}

/// Deletes a data directory that no cloud serves; one that is absent or empty stays so.
///
/// # Errors
/// When it is not ours, or something in it cannot be deleted: then it is still ours, and may be erased again.
pub fn erase(data: &Path) -> anyhow::Result<()> {
    place::erase(data)
}

/// Serves until `shutdown` resolves, then ends all children and returns.
pub async fn serve(
    listener: tokio::net::TcpListener,
    options: Options,
    shutdown: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    open(options)?.serve(listener, shutdown).await;
    Ok(())
}

/// A cloud whose Function URLs are open, and whose API waits for its listener.
pub struct Opened(Arc<cloud::Cloud>);

/// Opens the data directory and the Function URLs in it; needs a tokio runtime.
///
/// # Errors
/// When the data directory cannot be used, is somebody else's, or is used by another cloud.
pub fn open(options: Options) -> anyhow::Result<Opened> {
    let cloud = Arc::new(cloud::Cloud::open(options)?);
    survive_file_limits();
    cloud.keep_clean();
    url::reopen(&cloud);
    Ok(Opened(cloud))
}

/// Beyond the largest size of a file that the system allows this process, a write is to fail as it does on a full disk,
/// and not to end the process.
fn survive_file_limits() {
    let beyond = tokio::signal::unix::SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    // Where nobody can listen for the signal, it is as it was.
    let _ = tokio::signal::unix::signal(beyond);
}

impl Opened {
    /// Serves the API until `shutdown`, then ends every process.
    pub async fn serve(self, listener: tokio::net::TcpListener, shutdown: impl Future<Output = ()> + Send) {
        let Self(cloud) = self;
        let accepting = tokio::spawn(server::accept(cloud.clone(), listener));
        shutdown.await;
        accepting.abort();
        // The lock on the data is given back by whoever holds the cloud last: before this returns.
        let _ = accepting.await;
        cloud.close().await;
    }
}
