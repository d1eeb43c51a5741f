//! A full disk: if an operation cannot write, nothing has changed. This holds for every operation that writes.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::processes::{Cloud, kill, start};
use crate::support::{Bench, TRUST, package, wait_until, zip};

const F: &str = "/2015-03-31/functions/f";
const PROVISIONED: &str = "/2019-09-30/functions/f/provisioned-concurrency?Qualifier=spare";
const ROLE: &str = "arn:aws:iam::000000000000:role/role";
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
const MANAGED: &str = "arn:aws:iam::000000000000:policy/managed";

const TOKEN: &str = "00000000-0000-0000-0000-000000000000";
const OTHER_TOKEN: &str = "00000000-0000-0000-0000-000000000001";

/// One call: service, method, path, headers, body.
struct Call(&'static str, Method, String, Vec<(&'static str, String)>, Vec<u8>);

fn lambda(method: Method, path: impl Into<String>, body: Value) -> Call {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    Call("lambda", method, path.into(), Vec::new(), body)
}

fn json11(service: &'static str, action: &str, body: Value) -> Call {
    let prefix = match service {
        "logs" => "Logs_20140328",
        "ssm" => "AmazonSSM",
        _ => "secretsmanager",
    };
    let headers =
        vec![("content-type", "application/x-amz-json-1.1".to_owned()), ("x-amz-target", format!("{prefix}.{action}"))];
    Call(service, Method::POST, "/".into(), headers, body.to_string().into_bytes())
}

fn form(service: &'static str, action: &str, fields: &[(&str, &str)]) -> Call {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action).extend_pairs(fields);
    let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
    Call(service, Method::POST, "/".into(), headers, form.finish().into_bytes())
}

fn s3(method: Method, path: &str, body: &[u8]) -> Call {
    let checksum = ("x-amz-checksum-sha256", STANDARD.encode(Sha256::digest(body)));
    let headers = if method == Method::PUT { vec![checksum] } else { Vec::new() };
    Call("s3", method, path.into(), headers, body.to_vec())
}

async fn answer(bench: &Bench, Call(service, method, path, headers, body): &Call) -> (u16, String) {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let url = format!("{}{path}", bench.address);
    let answer = bench.signed(service, method.clone(), &url, &headers, body.clone()).await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn name((number, Call(service, method, path, headers, body)): (usize, &Call)) -> String {
    let action = headers.iter().find(|(name, _)| *name == "x-amz-target").map(|(_, value)| value.as_str());
    format!("{number} {service} {method} {path} {} {:.60}", action.unwrap_or_default(), String::from_utf8_lossy(body))
}

/// The calls before the disk is full.
fn there() -> Vec<Call> {
    let tagging = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    let events = json!([{"timestamp": now(), "message": "one event that is longer than any limit of this test"}]);
    vec![
        form("iam", "PutRolePolicy", &[("RoleName", "role"), ("PolicyName", "inline"), ("PolicyDocument", POLICY)]),
        form("iam", "CreatePolicy", &[("PolicyName", "managed"), ("PolicyDocument", POLICY)]),
        form("iam", "CreatePolicyVersion", &[("PolicyArn", MANAGED), ("PolicyDocument", POLICY)]),
        form("iam", "CreatePolicyVersion", &[("PolicyArn", MANAGED), ("PolicyDocument", POLICY)]),
        form("iam", "CreatePolicy", &[("PolicyName", "spare"), ("PolicyDocument", POLICY)]),
        form(
            "iam",
            "AttachRolePolicy",
            &[("RoleName", "role"), ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")],
        ),
        form("iam", "CreateRole", &[("RoleName", "other"), ("AssumeRolePolicyDocument", TRUST)]),
        form(
            "iam",
            "CreateRole",
            &[
                ("RoleName", "open"),
                ("AssumeRolePolicyDocument", &TRUST.replace(r#""Service":"lambda.amazonaws.com""#, r#""AWS":"*""#)),
            ],
        ),
        json11("logs", "CreateLogGroup", json!({"logGroupName": "group"})),
        json11("logs", "CreateLogStream", json!({"logGroupName": "group", "logStreamName": "stream"})),
        json11(
            "logs",
            "PutLogEvents",
            json!({"logGroupName": "group", "logStreamName": "stream", "logEvents": events}),
        ),
        json11("ssm", "PutParameter", json!({"Name": "/p", "Value": "old", "Type": "String"})),
        json11(
            "secretsmanager",
            "CreateSecret",
            json!({"ClientRequestToken": TOKEN, "Name": "s", "SecretString": "old"}),
        ),
        json11(
            "secretsmanager",
            "CreateSecret",
            json!({"ClientRequestToken": TOKEN, "Name": "spare", "SecretString": "old"}),
        ),
        s3(Method::PUT, "/bucket", b""),
        s3(Method::PUT, "/bucket?tagging", tagging),
        s3(Method::PUT, "/bucket/key", b"an object that is longer than any limit of this test"),
        s3(Method::PUT, "/empty", b""),
        lambda(Method::POST, format!("{F}/versions"), json!({})),
        lambda(Method::POST, format!("{F}/aliases"), json!({"Name": "live", "FunctionVersion": "1"})),
        lambda(Method::POST, format!("{F}/aliases"), json!({"Name": "spare", "FunctionVersion": "1"})),
        lambda(Method::POST, "/2021-10-31/functions/f/url?Qualifier=live", json!({"AuthType": "NONE"})),
        lambda(Method::POST, format!("{F}/policy?Qualifier=live"), statement("old")),
        lambda(Method::PUT, "/2017-10-31/functions/f/concurrency", json!({"ReservedConcurrentExecutions": 5})),
        lambda(Method::PUT, PROVISIONED, json!({"ProvisionedConcurrentExecutions": 1})),
        layer("old"),
    ]
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64
}

fn statement(id: &str) -> Value {
    json!({"StatementId": id, "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": true})
}

fn layer(content: &str) -> Call {
    let zip = zip("file", format!("{content} {}", "x".repeat(100)).as_bytes());
    lambda(Method::POST, "/2018-10-31/layers/layer/versions", json!({"Content": {"ZipFile": zip}}))
}

/// Every operation that writes more than the name of a file; each succeeds after those before it.
fn writes() -> Vec<Call> {
    let of_identity = [
        form("sts", "AssumeRole", &[("RoleArn", "arn:aws:iam::000000000000:role/open"), ("RoleSessionName", "me")]),
        form("iam", "CreateRole", &[("RoleName", "new"), ("AssumeRolePolicyDocument", TRUST)]),
        form("iam", "UpdateRole", &[("RoleName", "role"), ("Description", "new")]),
        form(
            "iam",
            "UpdateAssumeRolePolicy",
            &[("RoleName", "other"), ("PolicyDocument", &TRUST.replace("lambda", "ec2"))],
        ),
        form("iam", "TagRole", &[("RoleName", "role"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]),
        form("iam", "UntagRole", &[("RoleName", "role"), ("TagKeys.member.1", "k")]),
        form("iam", "PutRolePolicy", &[("RoleName", "role"), ("PolicyName", "new"), ("PolicyDocument", POLICY)]),
        form("iam", "DeleteRolePolicy", &[("RoleName", "role"), ("PolicyName", "inline")]),
        form("iam", "AttachRolePolicy", &[("RoleName", "role"), ("PolicyArn", MANAGED)]),
        form(
            "iam",
            "DetachRolePolicy",
            &[("RoleName", "role"), ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")],
        ),
        form("iam", "PutRolePermissionsBoundary", &[("RoleName", "role"), ("PermissionsBoundary", MANAGED)]),
        form("iam", "DeleteRolePermissionsBoundary", &[("RoleName", "role")]),
        form("iam", "CreatePolicy", &[("PolicyName", "new"), ("PolicyDocument", POLICY)]),
        form("iam", "CreatePolicyVersion", &[("PolicyArn", MANAGED), ("PolicyDocument", POLICY)]),
        form("iam", "SetDefaultPolicyVersion", &[("PolicyArn", MANAGED), ("VersionId", "v2")]),
        form("iam", "DeletePolicyVersion", &[("PolicyArn", MANAGED), ("VersionId", "v3")]),
        form("iam", "DeletePolicy", &[("PolicyArn", "arn:aws:iam::000000000000:policy/spare")]),
        form("iam", "DeleteRole", &[("RoleName", "other")]),
    ];
    let group = "arn:aws:logs:us-east-1:000000000000:log-group:group";
    let events = json!([{"timestamp": now(), "message": "new"}]);
    let of_values = [
        json11("logs", "CreateLogGroup", json!({"logGroupName": "new"})),
        json11("logs", "PutRetentionPolicy", json!({"logGroupName": "group", "retentionInDays": 7})),
        json11("logs", "DeleteRetentionPolicy", json!({"logGroupName": "group"})),
        json11("logs", "TagResource", json!({"resourceArn": group, "tags": {"k": "v"}})),
        json11("logs", "UntagResource", json!({"resourceArn": group, "tagKeys": ["k"]})),
        json11(
            "logs",
            "PutLogEvents",
            json!({"logGroupName": "group", "logStreamName": "stream", "logEvents": events}),
        ),
        json11("logs", "DeleteLogGroup", json!({"logGroupName": "group"})),
        json11("ssm", "PutParameter", json!({"Name": "/p", "Value": "new", "Overwrite": true})),
        json11("ssm", "PutParameter", json!({"Name": "/new", "Value": "new", "Type": "SecureString"})),
        json11("ssm", "DeleteParameter", json!({"Name": "/p"})),
        json11(
            "secretsmanager",
            "CreateSecret",
            json!({"ClientRequestToken": TOKEN, "Name": "new", "SecretString": "new"}),
        ),
        json11(
            "secretsmanager",
            "PutSecretValue",
            json!({"ClientRequestToken": OTHER_TOKEN, "SecretId": "s", "SecretString": "new"}),
        ),
        json11("secretsmanager", "DeleteSecret", json!({"SecretId": "s"})),
        json11("secretsmanager", "DeleteSecret", json!({"SecretId": "spare", "ForceDeleteWithoutRecovery": true})),
        s3(Method::PUT, "/new-bucket", b""),
        s3(Method::PUT, "/bucket?tagging", b"<Tagging><TagSet/></Tagging>"),
        s3(Method::PUT, "/bucket/key", b"another object that is longer than any limit of this test"),
        s3(Method::PUT, "/bucket/small", b"x"),
        s3(Method::DELETE, "/bucket/key", b""),
        s3(Method::DELETE, "/empty", b""),
    ];
    of_identity.into_iter().chain(of_values).chain(writes_of_lambda()).collect()
}

fn writes_of_lambda() -> Vec<Call> {
    let url = "/2021-10-31/functions/f/url";
    let tags = "/2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:function:f";
    let code = |content: &str| zip("bootstrap", format!("#!/bin/sh\n# {content} {}", "x".repeat(100)).as_bytes());
    let create = json!({
        "FunctionName": "g", "Role": ROLE, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Code": {"ZipFile": code("g")},
    });
    vec![
        lambda(Method::POST, "/2015-03-31/functions", create),
        lambda(Method::PUT, format!("{F}/configuration"), json!({"MemorySize": 256})),
        lambda(Method::PUT, format!("{F}/code"), json!({"ZipFile": code("f")})),
        lambda(Method::PUT, format!("{F}/code"), json!({"ZipFile": code("published"), "Publish": true})),
        lambda(Method::PUT, format!("{F}/configuration"), json!({"MemorySize": 512})),
        lambda(Method::POST, format!("{F}/versions"), json!({"Description": "new"})),
        lambda(Method::POST, format!("{F}/aliases"), json!({"Name": "new", "FunctionVersion": "1"})),
        lambda(Method::PUT, format!("{F}/aliases/live"), json!({"Description": "new"})),
        lambda(Method::DELETE, format!("{F}/aliases/new"), Value::Null),
        lambda(Method::POST, url, json!({"AuthType": "NONE"})),
        lambda(Method::PUT, format!("{url}?Qualifier=live"), json!({"AuthType": "AWS_IAM"})),
        lambda(Method::DELETE, format!("{url}?Qualifier=live"), Value::Null),
        lambda(Method::POST, format!("{F}/policy?Qualifier=live"), statement("new")),
        lambda(Method::DELETE, format!("{F}/policy/old?Qualifier=live"), Value::Null),
        lambda(Method::POST, tags, json!({"Tags": {"k": "v"}})),
        lambda(Method::DELETE, format!("{tags}?tagKeys=k"), Value::Null),
        lambda(Method::PUT, PROVISIONED, json!({"ProvisionedConcurrentExecutions": 2})),
        lambda(Method::DELETE, PROVISIONED, Value::Null),
        lambda(Method::PUT, "/2017-10-31/functions/f/concurrency", json!({"ReservedConcurrentExecutions": 6})),
        lambda(Method::DELETE, "/2017-10-31/functions/f/concurrency", Value::Null),
        layer("new"),
        lambda(Method::DELETE, "/2018-10-31/layers/layer/versions/1", Value::Null),
        lambda(Method::DELETE, format!("{F}?Qualifier=3"), Value::Null),
        lambda(Method::DELETE, F, Value::Null),
    ]
}

/// Every operation that reads.
fn reads() -> Vec<Call> {
    let get = |path: &str| lambda(Method::GET, path, Value::Null);
    vec![
        form("iam", "ListRoles", &[]),
        form("iam", "GetRole", &[("RoleName", "role")]),
        form("iam", "GetRole", &[("RoleName", "other")]),
        form("iam", "GetRole", &[("RoleName", "new")]),
        form("iam", "ListRolePolicies", &[("RoleName", "role")]),
        form("iam", "GetRolePolicy", &[("RoleName", "role"), ("PolicyName", "inline")]),
        form("iam", "ListAttachedRolePolicies", &[("RoleName", "role")]),
        form("iam", "ListPolicies", &[]),
        form("iam", "ListPolicyVersions", &[("PolicyArn", MANAGED)]),
        json11("logs", "DescribeLogGroups", json!({})),
        json11("logs", "DescribeLogStreams", json!({"logGroupName": "group"})),
        json11("logs", "FilterLogEvents", json!({"logGroupName": "group"})),
        json11(
            "logs",
            "ListTagsForResource",
            json!({"resourceArn": "arn:aws:logs:us-east-1:000000000000:log-group:group"}),
        ),
        json11("ssm", "GetParameters", json!({"Names": ["/p", "/new"]})),
        json11("secretsmanager", "GetSecretValue", json!({"SecretId": "s"})),
        json11("secretsmanager", "GetSecretValue", json!({"SecretId": "new"})),
        s3(Method::GET, "/bucket?tagging", b""),
        s3(Method::GET, "/bucket/key", b""),
        s3(Method::GET, "/bucket/small", b""),
        s3(Method::HEAD, "/empty", b""),
        s3(Method::HEAD, "/new-bucket", b""),
        get("/2015-03-31/functions"),
        get("/2015-03-31/functions/f/configuration"),
        get("/2015-03-31/functions/f/versions"),
        get("/2015-03-31/functions/f/aliases"),
        get("/2015-03-31/functions/f/policy?Qualifier=live"),
        get("/2021-10-31/functions/f/urls"),
        get("/2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:function:f"),
        get("/2017-10-31/functions/f/concurrency"),
        get("/2019-09-30/functions/f/provisioned-concurrency?List=ALL"),
        get("/2018-10-31/layers"),
        get("/2018-10-31/layers/layer/versions"),
    ]
}

/// The answers of all operations that read, without what differs in every answer.
async fn seen(bench: &Bench) -> Vec<String> {
    let mut seen = Vec::new();
    for (number, call) in reads().iter().enumerate() {
        let (status, text) = answer(bench, call).await;
        let (before, after) = text.split_once("<RequestId>").unwrap_or((&text, ""));
        let after = after.split_once("</RequestId>").map_or("", |(_, after)| after);
        seen.push(format!("{}: {status} {before}{after}", name((number, call))));
    }
    seen
}

/// The files of code, objects and logs.
fn files(data: &Path) -> Vec<String> {
    let mut all = Vec::new();
    let mut open = ["code", "s3", "logs"].map(|name| data.join(name)).to_vec();
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => open.push(path),
                path => all.push(path.display().to_string()),
            }
        }
    }
    all.sort();
    all
}

/// Limits the size of every file that the cloud writes; `None` removes the limit.
fn limit(cloud: &Cloud, bytes: Option<u64>) {
    let pid = Pid::from_raw(cloud.0.id() as i32).unwrap();
    let maximum = getrlimit(Resource::Fsize).maximum;
    prlimit(Some(pid), Resource::Fsize, Rlimit { current: bytes.or(maximum), maximum }).unwrap();
}

/// Waits until no update of the function is in progress, and its provisioned instances are ready, if there are any.
async fn settled(bench: &Bench) {
    loop {
        let (status, shown) = bench.lambda(Method::GET, &format!("{F}/configuration"), Value::Null).await;
        if status == 404 || shown["State"] == "Active" && shown["LastUpdateStatus"] == "Successful" {
            break;
        }
    }
    loop {
        let (status, shown) = bench.lambda(Method::GET, PROVISIONED, Value::Null).await;
        if status == 404 || shown["Status"] == "READY" {
            return;
        }
    }
}

async fn begun() -> (Bench, Cloud) {
    let data = tempfile::tempdir().unwrap();
    let (cloud, address) = start(&data);
    let bench = Bench::attach(&address, data).await;
    bench.role().await;
    bench.function_patiently().await;
    (bench, cloud)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_has_not_happened() {
    let (mut bench, mut cloud) = begun().await;
    for call in there().iter().enumerate() {
        let (status, text) = answer(&bench, call.1).await;
        assert!(status < 300, "{}: {status} {text}", name(call));
    }
    settled(&bench).await;
    // A role cannot be assumed at once.
    while answer(&bench, &writes()[0]).await.0 != 200 {}
    let (before, kept) = (seen(&bench).await, files(bench.data.path()));
    let directory = bench.data.path().canonicalize().unwrap().display().to_string();
    for call in writes().iter().enumerate() {
        limit(&cloud, Some(16));
        let (status, text) = answer(&bench, call.1).await;
        limit(&cloud, None);
        let words = ["nothing was changed", "File too large", &directory];
        assert!(status == 500 && words.iter().all(|word| text.contains(word)), "{}: {status} {text}", name(call));
        assert_eq!(seen(&bench).await, before, "{}", name(call));
    }
    wait_until("what is left of them is deleted", || files(bench.data.path()) == kept).await;
    kill(cloud.0.id(), "-KILL");
    cloud.0.wait().unwrap();
    let (cloud, address) = start(&bench.data);
    bench.address = address;
    assert_eq!(seen(&bench).await, before, "after a restart");
    // Without the limit, all of them succeed.
    for call in writes().iter().enumerate() {
        settled(&bench).await;
        let (status, text) = answer(&bench, call.1).await;
        assert!(status < 300, "{}: {status} {text}", name(call));
    }
    drop(cloud);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_put_all_or_none_however_much_fits() {
    let (bench, cloud) = begun().await;
    let stream = json!({"logGroupName": "group", "logStreamName": "stream"});
    bench.logs("CreateLogGroup", json!({"logGroupName": "group"})).await;
    bench.logs("CreateLogStream", stream.clone()).await;
    let put = |words: [&str; 2]| {
        let mut input = stream.clone();
        input["logEvents"] = words.map(|word| json!({"timestamp": now(), "message": word})).to_vec().into();
        input
    };
    assert_eq!(bench.logs("PutLogEvents", put(["a", "b"])).await.0, 200);
    let file = bench.data.path().join("logs/us%2Deast%2D1/group/stream");
    let size = file.metadata().unwrap().len();
    for more in [1, 10, size / 2, size / 2 + 5, size - 1] {
        limit(&cloud, Some(size + more));
        let (status, error) = bench.logs("PutLogEvents", put(["c", "d"])).await;
        assert!(status == 500 && error.to_string().contains("logs/us%2Deast%2D1/group/stream"), "{status} {error}");
        assert_eq!(file.metadata().unwrap().len(), size);
    }
    limit(&cloud, None);
    assert_eq!(bench.logs("PutLogEvents", put(["e", "f"])).await.0, 200);
    let (_, shown) = bench.logs("FilterLogEvents", json!({"logGroupName": "group"})).await;
    let messages: Vec<_> = shown["events"].as_array().unwrap().iter().map(|event| event["message"].clone()).collect();
    assert_eq!(messages, ["a", "b", "e", "f"]);
    drop(cloud);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_time_alone_has_changed_is_the_same_after_a_restart() {
    let (mut bench, mut cloud) = begun().await;
    bench.done(Method::PUT, &format!("{F}/code"), json!({"ZipFile": package()})).await;
    // Nothing is written when the update completes, so reading needs no space.
    limit(&cloud, Some(0));
    settled(&bench).await;
    let before = bench.done(Method::GET, &format!("{F}/configuration"), Value::Null).await;
    kill(cloud.0.id(), "-KILL");
    cloud.0.wait().unwrap();
    let (cloud, address) = start(&bench.data);
    bench.address = address;
    assert_eq!(bench.done(Method::GET, &format!("{F}/configuration"), Value::Null).await, before);
    drop(cloud);
}
