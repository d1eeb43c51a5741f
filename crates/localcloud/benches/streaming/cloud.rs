//! The local cloud, with this program as a function in it.

use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

use crate::machine::{self, Memory, Process, own};
use crate::support::{Bench, zip};

/// A local cloud in a process of its own, with a public streaming URL.
pub(crate) struct Cloud {
    pub url: String,
    process: Process,
    _bench: Bench,
}

/// How many requests may run at once: AWS's limit of a new account is 1,000.
const MOST: usize = 3000;

/// Serves a data directory, and prints its address.
pub(crate) async fn serve(data: String) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    let options = localcloud::Options { concurrency: MOST, ..localcloud::Options::new(data) };
    localcloud::serve(listener, options, std::future::pending()).await.unwrap();
}

/// How long deploying may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts one and deploys into it.
pub(crate) async fn start() -> Cloud {
    let data = tempfile::tempdir().unwrap();
    let process = own(&["cloud", data.path().to_str().unwrap()]);
    let bench = Bench::attach(&process.url, data).await;
    let role = bench.role().await;
    let code = zip("bootstrap", &std::fs::read(std::env::current_exe().unwrap()).unwrap());
    let function = json!({
        "FunctionName": "f", "Role": role, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Timeout": 60, "Code": {"ZipFile": code},
    });
    let deployed = tokio::time::timeout(PATIENCE, deploy(&bench, function)).await;
    let url = deployed.expect("the cloud takes the function, or says why not in its log");
    Cloud { url, process, _bench: bench }
}

/// The role cannot be assumed yet, and the function is pending: both for a moment.
async fn deploy(bench: &Bench, function: Value) -> String {
    while bench.lambda(Method::POST, "/2015-03-31/functions", function.clone()).await.0 != 201 {}
    while bench.lambda(Method::POST, "/2015-03-31/functions/f/versions", json!({})).await.0 != 201 {}
    bench.done(Method::POST, "/2015-03-31/functions/f/aliases", json!({"Name": "live", "FunctionVersion": "1"})).await;
    let url = bench.url(json!({"AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM"})).await;
    while !bench.http.get(&url).send().await.unwrap().status().is_success() {}
    url
}

impl Cloud {
    pub(crate) fn memory(&self) -> Memory {
        self.process.memory("VmRSS:")
    }

    pub(crate) fn peak(&self) -> Memory {
        self.process.memory("VmHWM:")
    }

    /// The processor time that the cloud has used so far, and that of its functions' processes.
    pub(crate) fn times(&self) -> (Duration, Duration) {
        let functions = self.process.children().into_iter().map(machine::processor_time).sum();
        (machine::processor_time(self.process.child.id()), functions)
    }

    pub(crate) fn forget_peak(&self) {
        self.process.forget_peak();
    }
}
