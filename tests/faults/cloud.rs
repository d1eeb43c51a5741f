//! A local cloud in this process, in which nothing takes time, and a client that signs.

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use localcloud::{Credentials, Options};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const REGION: &str = "us-east-1";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
    // No connection is kept: the next cloud may have the port of the last one.
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).tls_certs_only([]);
    client.timeout(Duration::from_secs(30)).build().unwrap()
});

pub(crate) struct Cloud {
    pub address: String,
    pub credentials: Credentials,
    pub data: TempDir,
    serving: Option<(oneshot::Sender<()>, JoinHandle<anyhow::Result<()>>)>,
}

impl Cloud {
    pub(crate) fn new() -> Cloud {
        Cloud::serve(tempfile::tempdir().unwrap())
    }

    /// A cloud that starts with a copy of another one's data directory. Its URLs get other ports.
    pub(crate) fn copy_of(data: &Path) -> Cloud {
        let copy = tempfile::tempdir().unwrap();
        for name in [localcloud::MARKER, "credentials.json"] {
            fs::copy(data.join(name), copy.path().join(name)).unwrap();
        }
        let mut state: Value = serde_json::from_slice(&fs::read(data.join("state.json")).unwrap()).unwrap();
        renumber(&mut state);
        fs::write(copy.path().join("state.json"), state.to_string()).unwrap();
        copy_directory(&data.join("code"), &copy.path().join("code"));
        Cloud::serve(copy)
    }

    fn serve(data: TempDir) -> Cloud {
        let mut options = Options::new(data.path());
        (options.role_propagation, options.pending, options.update) = Default::default();
        let credentials = localcloud::credentials(data.path()).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = RUNTIME.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let served = RUNTIME.spawn(localcloud::serve(listener, options, async move { drop(stopped.await) }));
        Cloud { address, credentials, data, serving: Some((stop, served)) }
    }

    /// Ends it; what it knew stays in its directory.
    pub(crate) fn stop(&mut self) {
        if let Some((stop, served)) = self.serving.take() {
            drop(stop);
            RUNTIME.block_on(served).unwrap().unwrap();
        }
    }

    /// The variables that point any AWS tool here.
    pub(crate) fn variables(&self) -> [(&'static str, &str); 4] {
        [
            ("AWS_ENDPOINT_URL", &self.address),
            ("AWS_ACCESS_KEY_ID", &self.credentials.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", &self.credentials.secret_access_key),
            ("AWS_REGION", REGION),
        ]
    }

    /// Lambda: what a path answers; nothing where there is nothing.
    pub(crate) fn lambda(&self, path: &str) -> Option<Value> {
        let (status, body) = self.send("lambda", "GET", &format!("{}{path}", self.address), &[], "");
        assert!(status == 200 || status == 404, "{path}: {status} {body}");
        (status == 200).then(|| serde_json::from_str(&body).unwrap())
    }

    /// Lambda: a write that has to succeed.
    pub(crate) fn write(&self, path: &str, input: &Value) {
        let (status, body) = self.send("lambda", "POST", &format!("{}{path}", self.address), &[], &input.to_string());
        assert!(status < 300, "{path}: {status} {body}");
    }

    /// IAM: the XML of a call that has to succeed.
    pub(crate) fn iam(&self, action: &str, fields: &[(&str, &str)]) -> String {
        let quoted = |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let form: String = fields.iter().map(|(name, value)| format!("&{name}={}", quoted(value))).collect();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let url = format!("{}/", self.address);
        let (status, body) = self.send("iam", "POST", &url, &headers, &format!("Action={action}{form}"));
        assert_eq!(status, 200, "{action}: {body}");
        body
    }

    /// CloudWatch Logs: a call that has to succeed.
    pub(crate) fn logs(&self, action: &str, input: &Value) -> Value {
        let target = format!("Logs_20140328.{action}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let (status, body) = self.send("logs", "POST", &format!("{}/", self.address), &headers, &input.to_string());
        assert_eq!(status, 200, "{action}: {body}");
        serde_json::from_str(&body).unwrap_or(json!({}))
    }

    /// What a Function URL answers to a signed request.
    pub(crate) fn ask(&self, url: &str) -> (u16, String) {
        self.send("lambda", "GET", url, &[], "")
    }

    fn send(&self, service: &str, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let signature = self.signature(service, method, url, headers, body);
        let mut request = HTTP.request(method.parse().unwrap(), url).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in signature {
            request = request.header(name, value);
        }
        RUNTIME.block_on(async {
            let answer = request.send().await.unwrap_or_else(|error| panic!("{url}: {error:?}"));
            (answer.status().as_u16(), answer.text().await.unwrap())
        })
    }

    fn signature(
        &self,
        service: &str,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Vec<(String, String)> {
        let Credentials { access_key_id, secret_access_key } = &self.credentials;
        let identity =
            aws_credential_types::Credentials::new(access_key_id, secret_access_key, None, None, "test").into();
        let parameters = v4::SigningParams::builder().identity(&identity).region(REGION).name(service);
        let parameters = parameters.time(SystemTime::now()).settings(SigningSettings::default()).build().unwrap();
        let body = SignableBody::Bytes(body.as_bytes());
        let request = SignableRequest::new(method, url, headers.iter().copied(), body).unwrap();
        let signed = sign(request, &parameters.into()).unwrap().into_parts().0;
        signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Gives every URL an unused port, below those that the kernel assigns.
fn renumber(value: &mut Value) {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    match value {
        Value::Object(fields) if fields.contains_key("port") => {
            let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
            let mut ports = std::iter::repeat_with(|| 20_000 + NEXT.fetch_add(1, Ordering::Relaxed) % 12_000);
            fields["port"] = json!(ports.find(free).unwrap());
        }
        Value::Object(fields) => fields.values_mut().for_each(renumber),
        Value::Array(items) => items.iter_mut().for_each(renumber),
        _ => {}
    }
}

fn copy_directory(from: &Path, to: &Path) {
    fs::DirBuilder::new().mode(0o700).create(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
