//! AWS's delays, each if it is enabled.

use std::time::{Duration, Instant};

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Bench, TRUST, package};

const F: &str = "/2015-03-31/functions";
const CONFIGURATION: &str = "/2015-03-31/functions/f/configuration";
const STREAM: &str = "RESPONSE_STREAM";
const POLICY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
/// Long enough that nothing is over before it has been looked at.
const LONG: Duration = Duration::from_secs(600);
/// Short enough to be waited for.
const SHORT: Duration = Duration::from_millis(1500);

/// Asks until the answer is another one, which must take some time.
async fn until<T: PartialEq>(begun: Instant, lag: Duration, first: &T, ask: impl AsyncFn() -> T) -> T {
    loop {
        let answer = ask().await;
        if answer != *first {
            assert!(begun.elapsed() >= lag, "{:?}", begun.elapsed());
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn s3(bench: &Bench, method: Method) -> (u16, String) {
    let answer = bench.signed("s3", method, &format!("{}/bucket", bench.address), &[], Vec::new()).await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_deleted_bucket_is_taken_for_a_while() {
    let bench = Bench::with(|options| options.bucket_name_lag = SHORT).await;
    assert_eq!(s3(&bench, Method::PUT).await.0, 200);
    let begun = Instant::now();
    assert_eq!(s3(&bench, Method::DELETE).await.0, 204);
    let (status, text) = s3(&bench, Method::PUT).await;
    assert!(status == 409 && text.contains("<Code>OperationAborted</Code>"), "{text}");
    assert!(text.contains("A conflicting conditional operation is currently in progress"), "{text}");
    // But the bucket does not exist.
    assert_eq!(s3(&bench, Method::HEAD).await.0, 404);
    assert_eq!(until(begun, SHORT, &409, async || s3(&bench, Method::PUT).await.0).await, 200);
}

fn function() -> Value {
    json!({
        "FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/role", "Runtime": "provided.al2023",
        "Handler": "bootstrap", "Code": {"ZipFile": package()},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_just_created_is_not_found_for_a_while() {
    let bench = Bench::with(|options| options.visibility_lag = LONG).await;
    let role = async |action: &str, more: &[(&str, &str)]| {
        bench.query("iam", action, &[&[("RoleName", "role")][..], more].concat()).await
    };
    let create = [("AssumeRolePolicyDocument", TRUST)];
    assert_eq!(role("CreateRole", &create).await.0, 200);
    for (action, more) in
        [("GetRole", vec![]), ("AttachRolePolicy", vec![("PolicyArn", POLICY)]), ("DeleteRole", vec![])]
    {
        let (status, text) = role(action, &more).await;
        assert!(status == 404 && text.contains("The role with name role cannot be found."), "{action}: {text}");
    }
    assert!(role("CreateRole", &create).await.1.contains("EntityAlreadyExists"));

    bench.done(Method::POST, F, function()).await;
    let statement = json!({"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"});
    for (method, path, body) in [
        (Method::GET, "/f", Value::Null),
        (Method::GET, "/f/configuration", Value::Null),
        (Method::POST, "/f/policy", statement),
        (Method::POST, "/f/versions", json!({})),
        (Method::DELETE, "/f", Value::Null),
    ] {
        let (status, error) = bench.lambda(method, &format!("{F}{path}"), body).await;
        assert_eq!((status, &error["code"]), (404, &json!("ResourceNotFoundException")), "{path}");
    }
    assert_eq!(bench.lambda(Method::POST, F, function()).await.0, 409);

    assert_eq!(s3(&bench, Method::PUT).await.0, 200);
    assert_eq!((s3(&bench, Method::HEAD).await.0, s3(&bench, Method::PUT).await.0), (404, 200));

    let group = json!({"logGroupName": "g"});
    assert_eq!(bench.logs("CreateLogGroup", group.clone()).await.0, 200);
    assert_eq!(bench.logs("DescribeLogGroups", json!({})).await.1["logGroups"], json!([]));
    let retention = json!({"logGroupName": "g", "retentionInDays": 7});
    assert_eq!(bench.logs("PutRetentionPolicy", retention).await.1["__type"], "ResourceNotFoundException");
    assert_eq!(bench.logs("CreateLogGroup", group).await.1["__type"], "ResourceAlreadyExistsException");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_found_is_found_in_the_end() {
    let bench = Bench::with(|options| options.visibility_lag = SHORT).await;
    let begun = Instant::now();
    bench.role().await;
    bench.done(Method::POST, F, function()).await;
    let found = async || bench.lambda(Method::GET, CONFIGURATION, Value::Null).await.0;
    assert_eq!(until(begun, SHORT, &404, found).await, 200);
    assert_eq!(bench.query("iam", "GetRole", &[("RoleName", "role")]).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_aliases_and_urls_are_late_too() {
    let bench = Bench::with(|options| options.visibility_lag = SHORT).await;
    let begun = Instant::now();
    bench.role().await;
    // The function is late itself.
    let settled = async || bench.lambda(Method::GET, CONFIGURATION, Value::Null).await.1["State"].clone();
    bench.done(Method::POST, F, function()).await;
    while settled().await != "Active" {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let status = async |method: Method, path: &str, body: Value| bench.lambda(method, path, body).await.0;
    let get = async |path: &str| status(Method::GET, path, Value::Null).await;
    let (versions, aliases) = (format!("{F}/f/versions"), format!("{F}/f/aliases"));
    let alias = json!({"Name": "live", "FunctionVersion": "1"});
    let url = "/2021-10-31/functions/f/url?Qualifier=live";
    let (number, settings) = (format!("{F}/f?Qualifier=1"), json!({"AuthType": "NONE"}));

    let begun = Instant::now();
    assert_eq!(bench.done(Method::POST, &versions, json!({})).await["Version"], "1");
    // Publishing the same again is the same version, although it is not found.
    assert_eq!(bench.done(Method::POST, &versions, json!({})).await["Version"], "1");
    assert_eq!((get(&number).await, bench.invoke("1", json!({})).await.status().as_u16()), (404, 404));
    let make = async || status(Method::POST, &aliases, alias.clone()).await;
    assert_eq!(until(begun, SHORT, &404, make).await, 201);

    let begun = Instant::now();
    let one = format!("{aliases}/live");
    assert_eq!((make().await, get(&one).await), (409, 404));
    assert_eq!(status(Method::PUT, &one, json!({"Description": "x"})).await, 404);
    let statement = json!({"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"});
    assert_eq!(status(Method::POST, &format!("{F}/f/policy?Qualifier=live"), statement).await, 404);
    let create = async || status(Method::POST, url, settings.clone()).await;
    // It was made a moment before.
    assert_eq!(until(begun, SHORT / 2, &404, create).await, 201);
    assert_eq!(get(&one).await, 200);

    let begun = Instant::now();
    assert_eq!((get(url).await, status(Method::PUT, url, settings.clone()).await, create().await), (404, 404, 409));
    assert_eq!(until(begun, SHORT / 2, &404, async || get(url).await).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_too_close_to_each_other_are_in_conflict() {
    let bench = Bench::with(|options| options.conflict_lag = SHORT).await;
    let group = json!({"logGroupName": "g"});
    let retention = json!({"logGroupName": "g", "retentionInDays": 7});
    let aborted = async |action: &str, input: &Value| {
        let (status, error) = bench.logs(action, input.clone()).await;
        assert_eq!((status, error["__type"].as_str()), (400, Some("OperationAbortedException")), "{action}");
        assert!(error["message"].as_str().unwrap().starts_with("A conflicting operation is currently in progress"));
    };
    let begun = Instant::now();
    assert_eq!(bench.logs("CreateLogGroup", group.clone()).await.0, 200);
    aborted("PutRetentionPolicy", &retention).await;
    aborted("DeleteLogGroup", &group).await;
    until(begun, SHORT, &400, async || bench.logs("DeleteLogGroup", group.clone()).await.0).await;
    let begun = Instant::now();
    aborted("CreateLogGroup", &group).await;
    until(begun, SHORT - Duration::from_millis(200), &400, async || {
        bench.logs("CreateLogGroup", group.clone()).await.0
    })
    .await;

    bench.role().await;
    let policy = [("RoleName", "role"), ("PolicyArn", POLICY)];
    assert_eq!(bench.query("iam", "AttachRolePolicy", &policy).await.0, 200);
    let begun = Instant::now();
    assert_eq!(bench.query("iam", "DetachRolePolicy", &policy).await.0, 200);
    let delete = async || bench.query("iam", "DeleteRole", &[("RoleName", "role")]).await;
    let (status, text) = delete().await;
    assert!(status == 409 && text.contains("<Code>DeleteConflict</Code>"), "{text}");
    assert_eq!(until(begun, SHORT, &409, async || delete().await.0).await, 200);
}

async fn state(bench: &Bench, qualifier: &str) -> (Value, Value) {
    let shown = bench.done(Method::GET, &format!("{CONFIGURATION}?Qualifier={qualifier}"), Value::Null).await;
    (shown["State"].clone(), shown["StateReasonCode"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_was_not_used_has_to_be_restored() {
    let bench = Bench::with(|options| {
        options.inactive_after = Some(SHORT);
        options.pending = SHORT;
    })
    .await;
    bench.role().await;
    let begun = Instant::now();
    bench.done(Method::POST, F, function()).await;
    let first = (json!("Pending"), json!("Creating"));
    assert_eq!(until(begun, SHORT, &first, async || state(&bench, "").await).await.1, Value::Null);
    bench.done(Method::POST, &format!("{F}/f/versions"), json!({})).await;
    let alias = json!({"Name": "live", "FunctionVersion": "1"});
    bench.done(Method::POST, &format!("{F}/f/aliases"), alias).await;
    let url = bench.url(json!({"AuthType": "NONE", "InvokeMode": STREAM})).await;
    let inactive = (json!("Inactive"), json!("Idle"));
    let active = (json!("Active"), Value::Null);
    assert_eq!(until(Instant::now(), Duration::ZERO, &active, async || state(&bench, "1").await).await, inactive);

    // The first invocation fails, and begins to restore it.
    assert_eq!(bench.http.get(&url).send().await.unwrap().status(), 502);
    assert!(bench.notes().contains("ResourceNotReadyException"), "{}", bench.notes());
    let begun = Instant::now();
    assert_eq!(state(&bench, "1").await, (json!("Pending"), json!("Restoring")));
    let invoke = async || {
        let answer = bench.invoke("live", json!({"path": "/echo"})).await;
        let kind = answer.headers().get("x-amzn-errortype").map(|kind| kind.to_str().unwrap().to_owned());
        (answer.status().as_u16(), kind)
    };
    let refused = (502, Some("ResourceNotReadyException".to_owned()));
    assert_eq!(invoke().await, refused);
    let lag = SHORT - Duration::from_millis(500);
    assert_eq!(until(begun, lag, &refused, invoke).await, (200, None));
    // While it is used, it stays active; another version does not.
    let begun = Instant::now();
    while begun.elapsed() < SHORT * 2 {
        assert_eq!(invoke().await, (200, None));
    }
    assert_eq!(state(&bench, "").await, inactive);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_without_a_body_stays_open_until_the_timeout() {
    let bench = Bench::with(|options| options.open_bodyless = true).await;
    let url = bench.public(STREAM, json!({"Timeout": 2})).await;
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let least = Duration::from_millis(1800);
    // The head arrives, the body does not end, and breaks.
    let begun = Instant::now();
    let answer = client.get(format!("{url}empty?status=302")).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    assert!(begun.elapsed() < least, "{:?}", begun.elapsed());
    assert!(answer.bytes().await.is_err());
    assert!(begun.elapsed() > least, "{:?}", begun.elapsed());
    // For HTTP these end with their head, which therefore is late.
    let late = async |ask: reqwest::RequestBuilder| {
        let begun = Instant::now();
        let answer: Response = ask.send().await.unwrap();
        assert!(begun.elapsed() > least, "{:?}", begun.elapsed());
        answer.status()
    };
    assert_eq!(late(client.get(format!("{url}empty?status=204"))).await, StatusCode::NO_CONTENT);
    assert_eq!(late(client.head(format!("{url}split"))).await, StatusCode::CREATED);
    // One byte is a body, and a URL that does not stream knows the length.
    let begun = Instant::now();
    assert_eq!(client.get(format!("{url}split")).send().await.unwrap().text().await.unwrap(), "1234567");
    bench.done(Method::PUT, "/2021-10-31/functions/f/url?Qualifier=live", json!({"InvokeMode": "BUFFERED"})).await;
    assert_eq!(client.get(format!("{url}empty?status=302")).send().await.unwrap().text().await.unwrap(), "");
    assert!(begun.elapsed() < least, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_takes_its_time_and_excludes_much() {
    let bench = Bench::with(|options| options.snapshot = SHORT).await;
    let python = json!({"Runtime": "python3.13", "SnapStart": {"ApplyOn": "PublishedVersions"}});
    let role = bench.role().await;
    let mut input = json!({"FunctionName": "f", "Role": role, "Handler": "run.sh", "Code": {"ZipFile": package()}});
    input.as_object_mut().unwrap().extend(python.as_object().unwrap().clone());
    let made = bench.done(Method::POST, F, input).await;
    assert_eq!(made["SnapStart"], json!({"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}));
    let begun = Instant::now();
    let published = bench.done(Method::POST, &format!("{F}/f/versions"), json!({})).await;
    assert_eq!(
        (&published["State"], &published["SnapStart"]["OptimizationStatus"]),
        (&json!("Pending"), &json!("Off"))
    );
    let answer = bench.invoke("1", json!({})).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-amzn-errortype"]),
        (409, &"SnapStartNotReadyException".parse().unwrap())
    );
    let first = (json!("Pending"), json!("Creating"));
    assert_eq!(until(begun, SHORT, &first, async || state(&bench, "1").await).await.0, "Active");
    let status = async |qualifier: &str| {
        let shown = bench.done(Method::GET, &format!("{CONFIGURATION}?Qualifier={qualifier}"), Value::Null).await;
        shown["SnapStart"]["OptimizationStatus"].clone()
    };
    assert_eq!((status("1").await, status("$LATEST").await), (json!("On"), json!("Off")));

    let mount =
        json!([{"Arn": "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/a", "LocalMountPath": "/mnt/a"}]);
    for (change, code, words) in [
        (
            json!({"Runtime": "python3.11"}),
            "InvalidParameterValueException",
            "python3.11 is not supported for SnapStart enabled functions.",
        ),
        (
            json!({"Runtime": "provided.al2023"}),
            "InvalidParameterValueException",
            "provided.al2023 is not supported for",
        ),
        (
            json!({"EphemeralStorage": {"Size": 1024}}),
            "InvalidParameterValueException",
            "is not supported for SnapStart",
        ),
        (json!({"FileSystemConfigs": mount}), "InvalidParameterValueException", "is not supported for SnapStart"),
        (
            json!({"SnapStart": {"ApplyOn": "All"}}),
            "ValidationException",
            "Member must satisfy enum value set: [PublishedVersions, None]",
        ),
    ] {
        let (status, error) = bench.lambda(Method::PUT, CONFIGURATION, change.clone()).await;
        assert_eq!((status, error["code"].as_str()), (400, Some(code)), "{change}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    }
    let provisioned = "/2019-09-30/functions/f/provisioned-concurrency?Qualifier=1";
    let (status, error) = bench.lambda(Method::PUT, provisioned, json!({"ProvisionedConcurrentExecutions": 1})).await;
    assert_eq!((status, error["code"].as_str()), (400, Some("InvalidParameterValueException")), "{error}");
    let off = json!({"Runtime": "provided.al2023", "SnapStart": {"ApplyOn": "None"}});
    bench.done(Method::PUT, CONFIGURATION, off).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn some_regions_have_no_urls() {
    let bench = Bench::with(|options| options.url_regions = true).await;
    bench.function(json!({})).await;
    let ask = async |region: &str, method: Method, path: &str| {
        let url = format!("{}/2021-10-31/functions/f/{path}", bench.address);
        bench.signed_in(region, "lambda", method, &url, &[], Vec::new()).await
    };
    for region in ["eu-central-2", "cn-north-1"] {
        for (method, path) in [
            (Method::GET, "url"),
            (Method::POST, "url"),
            (Method::PUT, "url"),
            (Method::DELETE, "url"),
            (Method::GET, "urls"),
        ] {
            let answer = ask(region, method, path).await;
            assert_eq!(answer.status(), 403, "{region} {path}");
            assert_eq!(answer.headers()["x-amzn-errortype"], "AccessDeniedException");
            let text = answer.text().await.unwrap();
            assert!(text.contains("Unable to determine service/operation name to be authorized"), "{text}");
        }
    }
    assert_eq!(ask("us-east-1", Method::GET, "urls").await.status(), 200);
}
