//! How a cloud behaves, and the account that everything belongs to.

use std::path::PathBuf;
use std::time::Duration;

/// The account everything belongs to.
pub const ACCOUNT: &str = "000000000000";
/// The region used where a request names none.
pub const REGION: &str = "us-east-1";

/// How this cloud behaves; a user's daemon uses `Options::new`.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory for everything that is kept; created with mode 0700 if it does not exist.
    pub data: PathBuf,
    /// How long a new role cannot be assumed.
    pub role_propagation: Duration,
    /// How long a created function or published version stays `Pending`.
    pub pending: Duration,
    /// How long `LastUpdateStatus` stays `InProgress`.
    pub update: Duration,
    /// How long a version with SnapStart stays `Pending` after it is published.
    pub snapshot: Duration,
    /// How long what was just created is not found: functions, versions, aliases, URLs, roles, log groups and buckets.
    pub visibility_lag: Duration,
    /// How long a changed log group, and a role without its policies, refuse the next change as a conflict.
    pub conflict_lag: Duration,
    /// How long the name of a deleted bucket cannot be used.
    pub bucket_name_lag: Duration,
    /// An unused version is `Inactive` after this time, and its next invocation fails; `None` for never.
    pub inactive_after: Option<Duration>,
    /// How long a new policy statement takes to be honoured by the URL.
    pub url_permission_lag: Duration,
    /// How long a process has until its first `/next`.
    pub init_timeout: Duration,
    /// An instance idle for this long is ended.
    pub idle: Duration,
    /// How many instances may live at once, all functions together.
    pub concurrency: usize,
    /// Bytes a second that a stream may carry after its first 6 MB; `None` for no limit.
    pub stream_rate: Option<u64>,
    /// Bytes that a stream may carry in all; `None` for no limit.
    pub stream_size: Option<u64>,
    /// Calls of Lambda's control plane a second; GetFunction then has 100 of its own. `None` for no limit.
    pub api_rate: Option<u32>,
    /// Calls per second of each operation on log groups that AWS limits; `None` for no limit.
    pub logs_rate: Option<u32>,
    /// Calls of IAM a second; `None` for no limit.
    pub iam_rate: Option<u32>,
    /// Whether a streamed answer without a body stays open until the function's timeout.
    pub open_bodyless: bool,
    /// Whether the regions that have no Function URLs, or no SnapStart, on AWS have none here.
    pub url_regions: bool,
    /// Whether the account blocks public access: public policy statements are refused, and existing ones have no
    /// effect.
    pub block_public: bool,
    /// Whether Function URLs answer for any host, as behind a tunnel; otherwise only for loopback names and addresses.
    pub public_hosts: bool,
    /// How long the head of a request may take, from its first byte or from the beginning of the connection.
    pub head_timeout: Duration,
    /// Functions whose creation or update fails.
    pub failing: Vec<String>,
    /// Programs that are Lambda Web Adapter when they are started as `lambda-adapter`. Its layers are made of the first one
    /// that exists when a layer is needed. [`this_program`](crate::this_program) can be one of them.
    pub adapters: Vec<PathBuf>,
    /// A directory with layers of other accounts, each a zip named by [`layer_file`].
    pub layers: Option<PathBuf>,
    /// Whether layers are mounted at `/opt` where the system allows it; otherwise they are used from where they are.
    pub mount_layers: bool,
}

impl Options {
    /// The defaults for one data directory.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            role_propagation: Duration::from_millis(300),
            pending: Duration::from_millis(100),
            update: Duration::from_millis(100),
            snapshot: Duration::from_millis(100),
            visibility_lag: Duration::ZERO,
            conflict_lag: Duration::ZERO,
            bucket_name_lag: Duration::ZERO,
            inactive_after: None,
            url_permission_lag: Duration::ZERO,
            init_timeout: Duration::from_secs(10),
            idle: Duration::from_secs(300),
            concurrency: 1000,
            stream_rate: None,
            stream_size: None,
            api_rate: None,
            logs_rate: None,
            iam_rate: None,
            open_bodyless: false,
            url_regions: false,
            block_public: false,
            public_hosts: false,
            head_timeout: Duration::from_secs(10),
            failing: Vec::new(),
            adapters: Vec::new(),
            layers: None,
            mount_layers: true,
        }
    }

    /// AWS's own limits, and delays of the length that is usual there.
    pub fn like_aws(data: impl Into<PathBuf>) -> Self {
        Self {
            role_propagation: Duration::from_secs(8),
            pending: Duration::from_secs(2),
            update: Duration::from_secs(2),
            snapshot: Duration::from_secs(60),
            visibility_lag: Duration::from_secs(1),
            conflict_lag: Duration::from_secs(1),
            bucket_name_lag: Duration::from_secs(60 * 60),
            inactive_after: Some(Duration::from_secs(14 * 24 * 60 * 60)),
            url_permission_lag: Duration::from_secs(3),
            stream_rate: Some(2 * 1024 * 1024),
            stream_size: Some(200 * 1024 * 1024),
            api_rate: Some(15),
            logs_rate: Some(5),
            iam_rate: Some(10),
            open_bodyless: true,
            url_regions: true,
            ..Self::new(data)
        }
    }
}

/// The file name under which [`Options::layers`] holds the layer version of an ARN.
pub fn layer_file(arn: &str) -> String {
    format!("{}.zip", arn.replace([':', '/'], "_"))
}
