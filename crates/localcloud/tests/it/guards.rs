//! Attacks on the API.

use std::time::{Duration, SystemTime};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Bench, signature, zip};

const FUNCTIONS: &str = "/2015-03-31/functions";

async fn attempt(bench: &Bench, headers: Vec<(String, String)>, body: &str) -> (u16, String) {
    let mut request = bench.http.get(format!("{}{FUNCTIONS}", bench.address)).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let answer = request.send().await.unwrap();
    let kind = answer.headers().get("x-amzn-errortype").map(|kind| kind.to_str().unwrap().to_owned());
    (answer.status().as_u16(), kind.unwrap_or_default())
}

fn signed(bench: &Bench, at: SystemTime, body: &str) -> Vec<(String, String)> {
    let url = format!("{}{FUNCTIONS}", bench.address);
    signature(&bench.credentials, "lambda", at, &Method::GET, &url, &[], body.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_key_pair_opens_the_api() {
    let bench = Bench::start().await;
    let now = SystemTime::now();
    assert_eq!(attempt(&bench, signed(&bench, now, ""), "").await.0, 200);
    assert_eq!(attempt(&bench, vec![], "").await, (403, "MissingAuthenticationTokenException".into()));

    let mut other = localcloud::Credentials { secret_access_key: "guessed".into(), ..bench.credentials.clone() };
    let url = format!("{}{FUNCTIONS}", bench.address);
    let guessed = signature(&other, "lambda", now, &Method::GET, &url, &[], b"");
    assert_eq!(attempt(&bench, guessed, "").await, (403, "InvalidSignatureException".into()));
    other.access_key_id = "AKIAOTHER".into();
    let stranger = signature(&other, "lambda", now, &Method::GET, &url, &[], b"");
    assert_eq!(attempt(&bench, stranger, "").await, (403, "UnrecognizedClientException".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_covers_body_date_path_and_headers() {
    let bench = Bench::start().await;
    let now = SystemTime::now();
    let mismatch = (403, "InvalidSignatureException".to_owned());
    assert_eq!(attempt(&bench, signed(&bench, now, "one"), "two").await, mismatch);
    for away in [now - Duration::from_secs(6 * 60), now + Duration::from_secs(6 * 60)] {
        assert_eq!(attempt(&bench, signed(&bench, away, ""), "").await, mismatch);
    }
    assert_eq!(attempt(&bench, signed(&bench, now - Duration::from_secs(4 * 60), ""), "").await.0, 200);
    // The signature names a header, but does not cover it.
    let mut loose = signed(&bench, now, "");
    for (_, value) in &mut loose {
        *value = value.replace("SignedHeaders=host;x-amz-date", "SignedHeaders=x-amz-date");
    }
    assert_eq!(attempt(&bench, loose, "").await, mismatch);
    let mut elsewhere = bench.http.delete(format!("{}{FUNCTIONS}/f", bench.address));
    for (name, value) in signed(&bench, now, "") {
        elsewhere = elsewhere.header(name, value);
    }
    assert_eq!(elsewhere.send().await.unwrap().status(), 403);
}

fn status_and_type(answer: &reqwest::Response) -> (u16, &str) {
    (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_protocol_refuses_in_its_own_form() {
    let bench = Bench::start().await;
    let form = bench.http.post(&bench.address).header("content-type", "application/x-www-form-urlencoded");
    let answer = form.body("Action=GetCallerIdentity").send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(answer.text().await.unwrap().contains("<Code>MissingAuthenticationToken</Code>"));
    for target in ["Logs_20140328.DescribeLogGroups", "AnotherService.List"] {
        let request = bench.http.post(&bench.address).header("x-amz-target", target);
        let answer = request.body("{}").send().await.unwrap();
        assert_eq!(status_and_type(&answer), (400, "application/x-amz-json-1.1"), "{target}");
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(body["__type"], "MissingAuthenticationTokenException", "{target}");
    }
    let answer = bench.http.get(&bench.address).send().await.unwrap();
    assert_eq!(status_and_type(&answer), (403, "application/json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn web_pages_and_foreign_names_are_refused() {
    let bench = Bench::start().await;
    let now = SystemTime::now();
    let mut from_page = signed(&bench, now, "");
    from_page.push(("origin".into(), "https://evil.example".into()));
    assert_eq!(attempt(&bench, from_page, "").await, (403, "AccessDeniedException".into()));
    let preflight = bench.http.request(Method::OPTIONS, &bench.address).header("origin", "https://evil.example");
    let answer = preflight.send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(!answer.headers().keys().any(|name| name.as_str().starts_with("access-control")));
    for host in ["evil.example", "127.0.0.1.evil.example:80"] {
        // Signed for that very name, as a page behind DNS rebinding could not; even then it is refused.
        let url = format!("http://{host}{FUNCTIONS}");
        let mut headers = signature(&bench.credentials, "lambda", now, &Method::GET, &url, &[], b"");
        headers.push(("host".into(), host.into()));
        assert_eq!(attempt(&bench, headers, "").await, (403, "AccessDeniedException".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_lead_out_are_refused_and_leave_nothing() {
    let bench = Bench::start().await;
    let role = bench.role().await;
    for name in ["../../escaped", "/tmp/localcloud-escaped"] {
        let input = json!({"FunctionName": "f", "Role": role, "Runtime": "provided.al2023", "Handler": "h",
            "Code": {"ZipFile": zip(name, b"x")}});
        let (status, error) = bench.lambda(Method::POST, FUNCTIONS, input).await;
        assert_eq!((status, &error["code"]), (400, &json!("InvalidParameterValueException")));
    }
    assert!(!bench.data.path().join("escaped").exists() && !std::path::Path::new("/tmp/localcloud-escaped").exists());
    assert_eq!(std::fs::read_dir(bench.data.path().join("code")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_secrets_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::start().await;
    bench.function(json!({"Environment": {"Variables": {"SECRET": "s3cret"}}})).await;
    let mode = |path: &str| bench.data.path().join(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!([mode(""), mode("state.json"), mode("credentials.json")], [0o700, 0o600, 0o600]);
    assert!(std::fs::read_to_string(bench.data.path().join("state.json")).unwrap().contains("s3cret"));
    assert!(!format!("{:?}", bench.credentials).contains(&bench.credentials.secret_access_key));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_directory_is_not_used() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("thesis.txt"), "years of work").unwrap();
    assert!(localcloud::credentials(directory.path()).is_err());
    assert!(!localcloud::is_data_directory(directory.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_named() {
    let bench = Bench::start().await;
    let (status, error) = bench.lambda(Method::GET, "/2015-03-31/event-source-mappings", Value::Null).await;
    assert_eq!((status, &error["code"]), (400, &json!("UnknownOperationException")));
    assert!(error["message"].as_str().unwrap().contains("event-source-mappings"));
    let (status, text) = bench.query("iam", "CreateUser", &[("UserName", "u")]).await;
    assert!(status == 400 && text.contains("<Code>InvalidAction</Code>") && text.contains("iam:CreateUser"));
    let (status, error) = bench.logs("StartQuery", json!({})).await;
    assert_eq!((status, &error["__type"]), (400, &json!("UnknownOperationException")));
    let (status, error) = bench.lambda(Method::POST, "/2015-03-31/functions/f/invocations", json!({})).await;
    assert_eq!((status, &error["code"]), (404, &json!("ResourceNotFoundException")));
}

#[test]
fn of_several_that_begin_at_once_all_have_one_key_pair() {
    for _ in 0..100 {
        let data = tempfile::tempdir().unwrap();
        let begin = std::sync::Barrier::new(4);
        let key = || {
            begin.wait();
            localcloud::credentials(data.path()).unwrap().secret_access_key
        };
        let keys: std::collections::HashSet<String> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..4).map(|_| scope.spawn(key)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(keys.len(), 1);
    }
}
