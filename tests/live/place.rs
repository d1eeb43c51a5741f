//! Where the suite runs: an AWS account, or a local cloud of its own. The real binary, and raw calls next to it.

use crate::support::aws::Keys;
use crate::support::bench::{Bench, LAMSTREAM, said};
use anyhow::{Context as _, Result, bail, ensure};
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

/// Every run deploys under an app name of its own, which begins like this.
pub(crate) const PREFIX: &str = "lamstream-live-";

/// The account that the suite may write to. Without it, the suite uses a local cloud.
pub(crate) const ACCOUNT: &str = "LAMSTREAM_LIVE";
const REGION: &str = "LAMSTREAM_LIVE_REGION";
/// Leaves the web app out, whose packaging needs python3 and pip.
pub(crate) const WITHOUT_WEB: &str = "LAMSTREAM_LIVE_WITHOUT_WEB";
/// Where the report is written.
pub(crate) const REPORT: &str = "LAMSTREAM_LIVE_REPORT";

/// AWS's delays and limits that the local cloud gets, shorter where a fact does not depend on it.
const LIKE_AWS: &[&str] = &[
    "--role-propagation=500ms",
    "--url-permission-lag=100ms",
    "--pending=300ms",
    "--update=300ms",
    "--stream-rate=2MB",
    "--bodyless=open",
    "--api-rate=15",
    "--logs-rate=5",
];

pub(crate) struct Place {
    pub app: String,
    pub account: String,
    pub region: String,
    /// Whether an account was named; it is AWS's, unless an endpoint says otherwise.
    pub is_live: bool,
    /// Whether the web app is deployed, too.
    pub has_web: bool,
    pub lambda: aws_sdk_lambda::Client,
    pub iam: aws_sdk_iam::Client,
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// The same clients without retries.
    pub once: (aws_sdk_lambda::Client, aws_sdk_cloudwatchlogs::Client),
    pub http: reqwest::Client,
    pub bench: Bench,
    config: SdkConfig,
    /// The process of lamstream that is running now.
    running: watch::Sender<Option<u32>>,
}

/// How a raw request is signed.
#[derive(Clone, Copy)]
pub(crate) struct Signature {
    pub service: &'static str,
    /// How far in the past.
    pub age: Duration,
    /// Sign with a key that AWS does not know.
    pub is_wrong: bool,
}

impl Signature {
    pub(crate) fn of(service: &'static str) -> Signature {
        Signature { service, age: Duration::ZERO, is_wrong: false }
    }
}

/// The response to a raw request.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Place {
    /// The account that `LAMSTREAM_LIVE` names, or a local cloud that is started for this.
    ///
    /// # Errors
    /// If the credentials belong to another account. Nothing has been written then.
    pub(crate) async fn open() -> Result<Place> {
        let app = format!("{PREFIX}{}", stamp(SystemTime::now()));
        match std::env::var(ACCOUNT).ok().filter(|account| !account.is_empty()) {
            Some(account) => Place::live(app, &account).await,
            None => Place::local(app).await,
        }
    }

    async fn live(app: String, account: &str) -> Result<Place> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Ok(region) = std::env::var(REGION) {
            loader = loader.region(Region::new(region));
        }
        let config = loader.load().await;
        let sts = aws_sdk_sts::Client::new(&config);
        let identity = sts.get_caller_identity().send().await.context("cannot find out whose credentials these are")?;
        let found = identity.account.unwrap_or_default();
        if found != account {
            bail!("{ACCOUNT} is `{account}`, but the credentials belong to `{found}`; nothing was changed");
        }
        Place::with(app, found, config, Bench::new(""), true)
    }

    /// A local cloud of its own.
    ///
    /// # Errors
    /// If it does not start.
    pub(crate) async fn local(app: String) -> Result<Place> {
        let bench = Bench::new("");
        let output = local(&bench, &[&["local", "start"], LIKE_AWS].concat()).output()?;
        ensure!(output.status.success(), "{}", said(&output));
        let keys = Keys::of_running(&bench);
        let credentials = Credentials::new(keys.id, keys.secret, None, None, "local cloud");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(keys.region))
            .endpoint_url(keys.endpoint)
            .credentials_provider(credentials)
            .load()
            .await;
        Place::with(app, localcloud::ACCOUNT.into(), config, bench, false)
    }

    fn with(app: String, account: String, config: SdkConfig, bench: Bench, is_live: bool) -> Result<Place> {
        let region = config.region().context("there is no region; set LAMSTREAM_LIVE_REGION")?.to_string();
        let patient = RetryConfig::standard().with_max_attempts(10);
        let patient = config.clone().into_builder().retry_config(patient).build();
        let once = config.clone().into_builder().retry_config(RetryConfig::disabled()).build();
        Ok(Place {
            app,
            account,
            region,
            is_live,
            has_web: std::env::var_os(WITHOUT_WEB).is_none(),
            lambda: aws_sdk_lambda::Client::new(&patient),
            iam: aws_sdk_iam::Client::new(&patient),
            logs: aws_sdk_cloudwatchlogs::Client::new(&patient),
            once: (aws_sdk_lambda::Client::new(&once), aws_sdk_cloudwatchlogs::Client::new(&once)),
            http: reqwest::Client::builder().no_proxy().build()?,
            bench,
            config,
            running: watch::Sender::new(None),
        })
    }

    /// The name of a function of the manifest.
    pub(crate) fn name(&self, function: &str) -> String {
        format!("{}-{function}", self.app)
    }

    pub(crate) fn partition(&self) -> &'static str {
        match self.region.split('-').next() {
            Some("cn") => "aws-cn",
            _ if self.region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// Runs lamstream on the manifest in the bench, to its end even if this run is interrupted meanwhile.
    ///
    /// # Errors
    /// If it cannot start.
    pub(crate) async fn lamstream(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = match self.is_live {
            true => {
                let mut command = std::process::Command::new(LAMSTREAM);
                command.args(arguments).current_dir(self.bench.directory.path()).env("AWS_REGION", &self.region);
                command
            }
            false => local(&self.bench, &[arguments, &["--local"]].concat()),
        };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A Ctrl-C reaches this process alone, which then decides what ends.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = tokio::process::Command::from(command).spawn().context("lamstream does not start")?;
        self.running.send_replace(child.id());
        let output = child.wait_with_output().await;
        self.running.send_replace(None);
        Ok(output?)
    }

    /// Lets the call in flight of a running lamstream end, and waits until the process has ended.
    pub(crate) async fn end_running(&self) {
        let running = *self.running.borrow();
        if let Some(pid) = running.and_then(|pid| rustix::process::Pid::from_raw(pid as i32)) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.running.subscribe().wait_for(Option::is_none).await;
    }

    /// Sends a signed request.
    ///
    /// # Errors
    /// If there is no response.
    pub(crate) async fn signed(
        &self,
        signature: Signature,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply> {
        let mut request = self.http.request(method.parse()?, url).body(body.to_vec());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in self.signature(signature, method, url, headers, body).await? {
            request = request.header(name, value);
        }
        reply(request).await
    }

    /// A call of a service that speaks JSON 1.1, such as `AmazonSSM.GetParameters`.
    ///
    /// # Errors
    /// If there is no response.
    pub(crate) async fn json(&self, signature: Signature, target: &str, body: &serde_json::Value) -> Result<Reply> {
        let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
        let url = self.endpoint(signature.service);
        self.signed(signature, "POST", &url, &headers, body.to_string().as_bytes()).await
    }

    /// The address of a service, with a slash at its end.
    pub(crate) fn endpoint(&self, service: &str) -> String {
        let domain = if self.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        match self.config.endpoint_url() {
            Some(endpoint) => format!("{}/", endpoint.trim_end_matches('/')),
            None => format!("https://{service}.{}.{domain}/", self.region),
        }
    }

    async fn signature(
        &self,
        signature: Signature,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Vec<(String, String)>> {
        let provider = self.config.credentials_provider().context("there are no credentials")?;
        let mut credentials = provider.provide_credentials().await?;
        if signature.is_wrong {
            let token = credentials.session_token().map(str::to_owned);
            credentials = Credentials::new(credentials.access_key_id(), "wrong", token, None, "wrong on purpose");
        }
        let identity = credentials.into();
        let mut settings = SigningSettings::default();
        if signature.service == "s3" {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(signature.service)
            .time(SystemTime::now() - signature.age)
            .settings(settings)
            .build()?;
        let request = SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body))?;
        let added = sign(request, &parameters.into())?.into_parts().0.into_parts().0;
        Ok(added.into_iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect())
    }
}

/// Reads a response to its end.
///
/// # Errors
/// If there is none, or it breaks off.
pub(crate) async fn reply(request: reqwest::RequestBuilder) -> Result<Reply> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Reply { status, headers, body: response.text().await? })
}

pub(crate) fn local(bench: &Bench, arguments: &[&str]) -> std::process::Command {
    let mut command = bench.command(arguments);
    // The interpreters of this machine are found through it, and the adapter is where other tests put it.
    command.envs(std::env::var_os("HOME").map(|home| ("HOME", home)));
    command.env("LAMSTREAM_CACHE_DIR", cache());
    command
}

/// Shared with the tests of the examples: what it holds takes minutes to build.
pub(crate) fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// A name that sorts by time, and that no other run has: seconds since 1970 and a random number, both in base 16.
pub(crate) fn stamp(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("{seconds:x}-{:04x}", fastrand::u16(..))
}

/// The app that a name of AWS's belongs to, and when its run began, if a run of this suite made it.
pub(crate) fn app_of(name: &str) -> Option<(String, SystemTime)> {
    let after = &name[name.find(PREFIX)? + PREFIX.len()..];
    let mut parts = after.split(['-', '/']);
    let (time, random) = (parts.next()?, parts.next()?);
    let seconds = u64::from_str_radix(time, 16).ok()?;
    let is_random = random.len() == 4 && u16::from_str_radix(random, 16).is_ok();
    let began = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    is_random.then(|| (format!("{PREFIX}{time}-{random}"), began))
}

/// Waits until something is there, and says after how long.
pub(crate) async fn until<T, F: Future<Output = Result<Option<T>>>>(
    limit: Duration,
    mut look: impl FnMut() -> F,
) -> Result<Option<(T, Duration)>> {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(Some((found, began.elapsed())));
        }
        if began.elapsed() > limit {
            return Ok(None);
        }
        // AWS does not say when a change has taken effect.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
