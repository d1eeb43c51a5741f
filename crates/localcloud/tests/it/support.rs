//! A cloud in a temporary directory, and a client that signs.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use localcloud::{Credentials, Options};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// A running cloud.
pub(crate) struct Bench {
    pub address: String,
    pub credentials: Credentials,
    pub data: TempDir,
    pub http: reqwest::Client,
    options: Options,
    /// Absent where the cloud is a process of its own.
    serving: Option<(oneshot::Sender<()>, JoinHandle<anyhow::Result<()>>)>,
}

impl Bench {
    /// A cloud without delays.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// One with other options.
    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut options = Options::new(data.path());
        options.role_propagation = Duration::ZERO;
        options.pending = Duration::ZERO;
        options.update = Duration::ZERO;
        change(&mut options);
        Self::serve(data, options).await
    }

    async fn serve(data: TempDir, options: Options) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let credentials = localcloud::credentials(data.path()).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = options.clone();
        let served =
            tokio::spawn(async move { localcloud::serve(listener, serving, async move { drop(stopped.await) }).await });
        Self { address, credentials, data, http: client(), options, serving: Some((stop, served)) }
    }

    /// A cloud on the data of another.
    pub(crate) async fn again(data: TempDir, options: Options) -> Self {
        Self::serve(data, options).await
    }

    /// A client on a cloud that runs elsewhere.
    pub(crate) async fn attach(address: &str, data: TempDir) -> Self {
        let credentials = localcloud::credentials(data.path()).unwrap();
        let options = Options::new(data.path());
        Self { address: address.to_owned(), credentials, data, http: client(), options, serving: None }
    }

    /// Ends the cloud; its data stays.
    pub(crate) async fn stop(self) -> (TempDir, Options) {
        if let Some((stop, served)) = self.serving {
            drop(stop);
            served.await.unwrap().unwrap();
        }
        (self.data, self.options)
    }

    /// Ends the cloud and starts another on the same data.
    pub(crate) async fn restart(self) -> Self {
        let (data, options) = self.stop().await;
        Self::serve(data, options).await
    }

    /// A signed request of any kind.
    pub(crate) async fn signed(
        &self,
        service: &str,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Response {
        self.signed_in("us-east-1", service, method, url, headers, body).await
    }

    /// The same in another region.
    pub(crate) async fn signed_in(
        &self,
        region: &str,
        service: &str,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Response {
        let at = SystemTime::now();
        let signature = signature_in(region, &self.credentials, service, at, &method, url, headers, &body);
        let mut request = self.http.request(method, url).body(body);
        for (name, value) in
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).chain(signature)
        {
            request = request.header(name, value);
        }
        request.send().await.unwrap()
    }

    /// Lambda: status and JSON.
    pub(crate) async fn lambda(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = self.signed("lambda", method, &format!("{}{path}", self.address), &[], body).await;
        let status = answer.status().as_u16();
        let kind = answer.headers().get("x-amzn-errortype").map(|kind| kind.to_str().unwrap().to_owned());
        assert!(answer.headers().contains_key("x-amzn-requestid"));
        let bytes = answer.bytes().await.unwrap();
        let mut value: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if let Some(kind) = kind {
            value["code"] = json!(kind);
        }
        (status, value)
    }

    /// A call that must succeed.
    pub(crate) async fn done(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, value) = self.lambda(method, path, body).await;
        assert!(status < 300, "{path}: {status} {value}");
        value
    }

    /// The credentials of a session: a client of them, and the token that goes with every request.
    pub(crate) async fn session(&self, role: &str) -> (Credentials, String) {
        let form = [("RoleArn", role), ("RoleSessionName", "me"), ("DurationSeconds", "900")];
        let (status, text) = self.query("sts", "AssumeRole", &form).await;
        assert_eq!(status, 200, "{text}");
        let element = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>")).unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        let (access_key_id, secret_access_key) = (element("AccessKeyId"), element("SecretAccessKey"));
        (Credentials { access_key_id, secret_access_key }, element("SessionToken"))
    }

    /// STS or IAM: status and XML.
    pub(crate) async fn query(&self, service: &str, action: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).extend_pairs(fields);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self
            .signed(service, Method::POST, &format!("{}/", self.address), &headers, form.finish().into_bytes())
            .await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// CloudWatch Logs: status and JSON.
    pub(crate) async fn logs(&self, action: &str, input: Value) -> (u16, Value) {
        let target = format!("Logs_20140328.{action}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let body = input.to_string().into_bytes();
        let answer = self.signed("logs", Method::POST, &format!("{}/", self.address), &headers, body).await;
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null))
    }

    /// A role that Lambda may assume.
    pub(crate) async fn role(&self) -> String {
        let (status, text) =
            self.query("iam", "CreateRole", &[("RoleName", "role"), ("AssumeRolePolicyDocument", TRUST)]).await;
        assert_eq!(status, 200, "{text}");
        "arn:aws:iam::000000000000:role/role".to_owned()
    }

    /// A role and the test function, published and aliased.
    pub(crate) async fn function(&self, more: Value) {
        let role = self.role().await;
        let mut input = json!({
            "FunctionName": "f", "Role": role, "Runtime": "provided.al2023", "Handler": "bootstrap",
            "Timeout": 30, "Code": {"ZipFile": package()},
        });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.done(Method::POST, "/2015-03-31/functions", input).await;
        self.done(Method::POST, "/2015-03-31/functions/f/versions", json!({})).await;
        let alias = json!({"Name": "live", "FunctionVersion": "1"});
        self.done(Method::POST, "/2015-03-31/functions/f/aliases", alias).await;
    }

    /// The test function, in a cloud with delays.
    pub(crate) async fn function_patiently(&self) {
        let input = json!({
            "FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/role", "Runtime": "provided.al2023",
            "Handler": "bootstrap", "Timeout": 30, "Code": {"ZipFile": package()},
            "Environment": {"Variables": {"OWN": "yes"}},
        });
        while self.lambda(Method::POST, "/2015-03-31/functions", input.clone()).await.0 != 201 {}
        while self.done(Method::GET, "/2015-03-31/functions/f/configuration", Value::Null).await["State"] != "Active" {}
    }

    /// The function with a public URL on its alias.
    pub(crate) async fn public(&self, mode: &str, more: Value) -> String {
        self.function(more).await;
        self.url(json!({"AuthType": "NONE", "InvokeMode": mode})).await
    }

    /// A URL on the alias, with both statements.
    pub(crate) async fn url(&self, config: Value) -> String {
        let shown = self.done(Method::POST, "/2021-10-31/functions/f/url?Qualifier=live", config).await;
        for statement in [
            json!({"StatementId": "url", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}),
            json!({"StatementId": "invoke", "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": true}),
        ] {
            self.done(Method::POST, "/2015-03-31/functions/f/policy?Qualifier=live", statement).await;
        }
        shown["FunctionUrl"].as_str().unwrap().to_owned()
    }

    /// Invokes the test function, and waits for the end of its log.
    pub(crate) async fn invoke(&self, qualifier: &str, event: Value) -> Response {
        let url = format!("{}/2015-03-31/functions/f/invocations?Qualifier={qualifier}", self.address);
        self.signed("lambda", Method::POST, &url, &[("x-amz-log-type", "Tail")], event.to_string().into_bytes()).await
    }

    /// Invokes, and returns the JSON of the answer.
    pub(crate) async fn invoked(&self, qualifier: &str, event: Value) -> Value {
        let url = format!("{}/2015-03-31/functions/f/invocations?Qualifier={qualifier}", self.address);
        let answer = self.signed("lambda", Method::POST, &url, &[], event.to_string().into_bytes()).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The lines of `cloud.log`.
    pub(crate) fn notes(&self) -> String {
        std::fs::read_to_string(self.data.path().join("cloud.log")).unwrap_or_default()
    }

    /// Waits for a line in `cloud.log`.
    pub(crate) async fn wait_for_note(&self, words: &str) {
        wait_until(&format!("`{words}` in cloud.log"), || self.notes().contains(words)).await;
    }

    /// The path of a file by which the function and the test communicate.
    pub(crate) fn sign_post(&self, name: &str) -> PathBuf {
        self.data.path().join("run").join(name)
    }
}

/// A new client, without connections of other tests.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// The headers that sign a request.
pub(crate) fn signature(
    credentials: &Credentials,
    service: &str,
    at: SystemTime,
    method: &Method,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<(String, String)> {
    signature_in("us-east-1", credentials, service, at, method, url, headers, body)
}

#[expect(clippy::too_many_arguments, reason = "each is a part of what is signed")]
fn signature_in(
    region: &str,
    credentials: &Credentials,
    service: &str,
    at: SystemTime,
    method: &Method,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<(String, String)> {
    let identity = aws_credential_types::Credentials::new(
        &credentials.access_key_id,
        &credentials.secret_access_key,
        None,
        None,
        "test",
    )
    .into();
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(at)
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let request =
        SignableRequest::new(method.as_str(), url, headers.iter().copied(), SignableBody::Bytes(body)).unwrap();
    let (instructions, _) = sign(request, &params).unwrap().into_parts();
    instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A zip of one file, in base64.
pub(crate) fn zip(name: &str, content: &[u8]) -> String {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    writer.start_file(name, options).unwrap();
    writer.write_all(content).unwrap();
    STANDARD.encode(writer.finish().unwrap().into_inner())
}

/// The test function.
pub(crate) fn package() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bootstrap.py");
    zip("bootstrap", &std::fs::read(path).unwrap())
}

/// Waits for a state that must be reached.
pub(crate) async fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    while !reached() {
        assert!(tokio::time::Instant::now() < end, "never reached: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether a process runs; a zombie does not.
pub(crate) fn is_alive(pid: u64) -> bool {
    if !cfg!(target_os = "linux") {
        let listed = std::process::Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
        return listed.stdout.first().is_some_and(|state| *state != b'Z');
    }
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with(['Z', 'X']))
}

/// An example of this crate as a program, which cargo builds with the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join("examples").join(name);
    assert!(program.is_file(), "{} does not exist: cargo build --examples", program.display());
    program
}
