//! Lambda's control plane, with AWS's limits and delays.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Bench, TRUST, package, wait_until, zip};

const F: &str = "/2015-03-31/functions/f";
const URL: &str = "/2021-10-31/functions/f/url";

fn create(role: &str) -> Value {
    json!({"FunctionName": "f", "Role": role, "Runtime": "provided.al2023", "Handler": "bootstrap", "Code": {"ZipFile": package()}})
}

async fn refused(bench: &Bench, method: Method, path: &str, body: Value, status: u16, code: &str) -> String {
    let (got, error) = bench.lambda(method, path, body).await;
    assert_eq!((got, &error["code"]), (status, &json!(code)), "{path}: {error}");
    error["message"].as_str().or(error["Message"].as_str()).unwrap().to_owned()
}

async fn revision(bench: &Bench) -> String {
    bench.done(Method::GET, &format!("{F}/configuration"), Value::Null).await["RevisionId"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_role_cannot_be_assumed_at_once() {
    let bench = Bench::with(|options| options.role_propagation = Duration::from_millis(400)).await;
    let role = bench.role().await;
    let code = "InvalidParameterValueException";
    let message = refused(&bench, Method::POST, "/2015-03-31/functions", create(&role), 400, code).await;
    assert_eq!(message, "The role defined for the function cannot be assumed by Lambda.");
    let made = tokio::time::timeout(Duration::from_secs(10), async {
        while bench.lambda(Method::POST, "/2015-03-31/functions", create(&role)).await.0 != 201 {}
    });
    made.await.unwrap();
    // A role that does not trust Lambda can never be assumed.
    let trust = TRUST.replace("lambda.", "ec2.");
    bench.query("iam", "CreateRole", &[("RoleName", "other"), ("AssumeRolePolicyDocument", &trust)]).await;
    let input = json!({"Role": "arn:aws:iam::000000000000:role/other"});
    refused(&bench, Method::PUT, &format!("{F}/configuration"), input, 400, code).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_wait_for_pending_and_updating() {
    let bench = Bench::with(|options| {
        options.pending = Duration::from_millis(300);
        options.update = Duration::from_millis(300);
    })
    .await;
    let role = bench.role().await;
    let made = bench.done(Method::POST, "/2015-03-31/functions", create(&role)).await;
    assert_eq!((&made["State"], &made["StateReasonCode"]), (&json!("Pending"), &json!("Creating")));
    let message =
        refused(&bench, Method::POST, &format!("{F}/versions"), json!({}), 409, "ResourceConflictException").await;
    assert!(message.starts_with("The operation cannot be performed at this time. An update is in progress for resource: arn:aws:lambda:us-east-1:000000000000:function:f"));
    refused(&bench, Method::POST, &format!("{F}/invocations"), json!({}), 409, "ResourceConflictException").await;
    let settled = |value: &Value| value["State"] == "Active" && value["LastUpdateStatus"] == "Successful";
    let active = wait(&bench, settled).await;
    assert_ne!(active["RevisionId"], made["RevisionId"]);

    let updating = bench.done(Method::PUT, &format!("{F}/configuration"), json!({"MemorySize": 256})).await;
    assert_eq!(updating["LastUpdateStatus"], "InProgress");
    assert_ne!(updating["RevisionId"], active["RevisionId"]);
    refused(&bench, Method::PUT, &format!("{F}/code"), json!({"ZipFile": package()}), 409, "ResourceConflictException")
        .await;
    let updated = wait(&bench, settled).await;
    assert_ne!(updated["RevisionId"], updating["RevisionId"]);
    assert_ne!(updated["ConfigSha256"], active["ConfigSha256"]);
    assert_eq!(updated["MemorySize"], 256);
}

async fn wait(bench: &Bench, reached: impl Fn(&Value) -> bool) -> Value {
    let waiting = async {
        loop {
            let shown = bench.done(Method::GET, &format!("{F}/configuration"), Value::Null).await;
            if reached(&shown) {
                return shown;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_revisions_are_refused_everywhere() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let stale = "11111111-2222-3333-4444-555555555555";
    let code = "PreconditionFailedException";
    let with = |mut body: Value| {
        body["RevisionId"] = json!(stale);
        body
    };
    let permission = json!({"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"});
    for (method, path, body) in [
        (Method::PUT, format!("{F}/configuration"), json!({"Timeout": 4})),
        (Method::PUT, format!("{F}/code"), json!({"ZipFile": package()})),
        (Method::POST, format!("{F}/versions"), json!({})),
        (Method::PUT, format!("{F}/aliases/live"), json!({"Description": "x"})),
        (Method::POST, format!("{F}/policy"), permission.clone()),
        (Method::POST, format!("{F}/policy?Qualifier=live"), permission.clone()),
    ] {
        let message = refused(&bench, method, &path, with(body), 412, code).await;
        assert!(message.starts_with("The Revision Id provided does not match the latest Revision Id."));
    }
    bench.done(Method::POST, &format!("{F}/policy"), permission).await;
    refused(&bench, Method::DELETE, &format!("{F}/policy/s?RevisionId={stale}"), Value::Null, 412, code).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_change_with_versions_and_permissions() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let before = revision(&bench).await;
    assert_eq!(revision(&bench).await, before);
    let permission = json!({"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"});
    bench.done(Method::POST, &format!("{F}/policy"), permission.clone()).await;
    let with_permission = revision(&bench).await;
    assert_ne!(with_permission, before);
    bench.done(Method::DELETE, &format!("{F}/policy/s?RevisionId={with_permission}"), Value::Null).await;
    let without = revision(&bench).await;
    assert_ne!(without, with_permission);
    // An alias has a revision of its own: its permissions do not change the function's.
    let alias = bench.done(Method::GET, &format!("{F}/aliases/live"), Value::Null).await;
    bench.done(Method::POST, &format!("{F}/policy?Qualifier=live"), permission).await;
    assert_eq!(revision(&bench).await, without);
    let after = bench.done(Method::GET, &format!("{F}/aliases/live"), Value::Null).await;
    assert_ne!(after["RevisionId"], alias["RevisionId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_makes_a_version_only_of_something_new() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let versions = format!("{F}/versions");
    let before = revision(&bench).await;
    assert_eq!(bench.done(Method::POST, &versions, json!({"Description": "again"})).await["Version"], "1");
    assert_eq!(revision(&bench).await, before);
    bench.done(Method::PUT, &format!("{F}/configuration"), json!({"Timeout": 7})).await;
    let wrong = json!({"CodeSha256": "AAAA"});
    refused(&bench, Method::POST, &versions, wrong, 400, "InvalidParameterValueException").await;
    let before = revision(&bench).await;
    let made = bench.done(Method::POST, &versions, json!({"Description": "two", "RevisionId": before})).await;
    assert_eq!((&made["Version"], &made["Description"], &made["Timeout"]), (&json!("2"), &json!("two"), &json!(7)));
    assert_ne!(revision(&bench).await, before);
    // A version never changes, and its number is never reused.
    let first = bench.done(Method::GET, &format!("{F}/configuration?Qualifier=1"), Value::Null).await;
    assert_eq!(first["Timeout"], 30);
    refused(&bench, Method::DELETE, &format!("{F}?Qualifier=1"), Value::Null, 409, "ResourceConflictException").await;
    bench.done(Method::DELETE, &format!("{F}?Qualifier=2"), Value::Null).await;
    assert_eq!(bench.done(Method::POST, &versions, json!({})).await["Version"], "3");
    let listed = bench.done(Method::GET, &format!("{versions}?MaxItems=2"), Value::Null).await;
    assert_eq!(listed["Versions"].as_array().unwrap().len(), 2);
    let marker = listed["NextMarker"].as_str().unwrap();
    let rest = bench.done(Method::GET, &format!("{versions}?MaxItems=2&Marker={marker}"), Value::Null).await;
    assert_eq!(rest["Versions"][0]["Version"], "3");
    assert_eq!(rest["NextMarker"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_conflict() {
    let bench = Bench::start().await;
    bench.public("BUFFERED", json!({})).await;
    let code = "ResourceConflictException";
    let again = create("arn:aws:iam::000000000000:role/role");
    let message = refused(&bench, Method::POST, "/2015-03-31/functions", again, 409, code).await;
    assert_eq!(message, "Function already exist: f");
    let alias = json!({"Name": "live", "FunctionVersion": "1"});
    refused(&bench, Method::POST, &format!("{F}/aliases"), alias, 409, code).await;
    refused(&bench, Method::POST, &format!("{URL}?Qualifier=live"), json!({"AuthType": "NONE"}), 409, code).await;
    let statement = json!({"StatementId": "url", "Action": "lambda:InvokeFunction", "Principal": "*"});
    refused(&bench, Method::POST, &format!("{F}/policy?Qualifier=live"), statement, 409, code).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_belong_to_one_qualifier() {
    let bench = Bench::start().await;
    bench.public("BUFFERED", json!({})).await;
    let shown = bench.done(Method::GET, &format!("{F}/policy?Qualifier=live"), Value::Null).await;
    let policy: Value = serde_json::from_str(shown["Policy"].as_str().unwrap()).unwrap();
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:f:live";
    let statement = |id: &str, action: &str, condition: Value| json!({"Sid": id, "Effect": "Allow", "Principal": "*", "Action": action, "Resource": arn, "Condition": condition});
    let url =
        statement("url", "lambda:InvokeFunctionUrl", json!({"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}));
    let invoke =
        statement("invoke", "lambda:InvokeFunction", json!({"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}));
    assert_eq!(policy["Statement"], json!([url, invoke]));
    refused(&bench, Method::GET, &format!("{F}/policy"), Value::Null, 404, "ResourceNotFoundException").await;
    let statement = json!({"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"});
    let latest = format!("{F}/policy?Qualifier=%24LATEST");
    refused(&bench, Method::POST, &latest, statement, 400, "InvalidParameterValueException").await;
    refused(
        &bench,
        Method::DELETE,
        &format!("{F}/policy/absent?Qualifier=live"),
        Value::Null,
        404,
        "ResourceNotFoundException",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_sits_on_an_alias_or_the_function() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let config = json!({"AuthType": "NONE"});
    for qualifier in ["1", "%24LATEST"] {
        let path = format!("{URL}?Qualifier={qualifier}");
        refused(&bench, Method::POST, &path, config.clone(), 400, "ValidationException").await;
    }
    refused(&bench, Method::POST, &format!("{URL}?Qualifier=absent"), config, 404, "ResourceNotFoundException").await;
    let made = bench
        .done(
            Method::POST,
            &format!("{URL}?Qualifier=live"),
            json!({"AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM"}),
        )
        .await;
    // An update keeps the members that it does not contain.
    let updated = bench.done(Method::PUT, &format!("{URL}?Qualifier=live"), json!({"AuthType": "AWS_IAM"})).await;
    assert_eq!((&updated["InvokeMode"], &updated["AuthType"]), (&json!("RESPONSE_STREAM"), &json!("AWS_IAM")));
    assert_eq!(updated["FunctionUrl"], made["FunctionUrl"]);
    let listed = bench.done(Method::GET, "/2021-10-31/functions/f/urls", Value::Null).await;
    assert_eq!(listed["FunctionUrlConfigs"], json!([updated]));
    bench.done(Method::DELETE, &format!("{URL}?Qualifier=live"), Value::Null).await;
    refused(&bench, Method::GET, &format!("{URL}?Qualifier=live"), Value::Null, 404, "ResourceNotFoundException").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_error_for_too_much_environment_shows_every_value() {
    let bench = Bench::start().await;
    let role = bench.role().await;
    let mut input = create(&role);
    input["Environment"] = json!({"Variables": {"PASSWORD": "s3cret", "PADDING": "x".repeat(4096)}});
    let message =
        refused(&bench, Method::POST, "/2015-03-31/functions", input, 400, "InvalidParameterValueException").await;
    assert!(message.contains("exceeded the 4KB limit. String measured: {") && message.contains("s3cret"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_may_be_half_an_hour() {
    let bench = Bench::start().await;
    bench.function(json!({"Timeout": 1800})).await;
    let shown = bench.done(Method::GET, "/2015-03-31/functions/f/configuration", Value::Null).await;
    assert_eq!(shown["Timeout"], 1800);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_checked() {
    let bench = Bench::start().await;
    let role = bench.role().await;
    let big = "x".repeat(52_428_801);
    for (member, value, status, code) in [
        ("MemorySize", json!(127), 400, "ValidationException"),
        ("MemorySize", json!(10241), 400, "ValidationException"),
        ("Timeout", json!(1801), 400, "ValidationException"),
        ("Timeout", json!("3"), 400, "SerializationException"),
        ("Description", json!("x".repeat(257)), 400, "ValidationException"),
        ("EphemeralStorage", json!({"Size": 511}), 400, "ValidationException"),
        ("FunctionName", json!("x".repeat(65)), 400, "InvalidParameterValueException"),
        ("FunctionName", json!("a.b"), 400, "ValidationException"),
        ("Architectures", json!(["sparc"]), 400, "ValidationException"),
        ("Runtime", json!("go1.x"), 400, "InvalidParameterValueException"),
        ("Environment", json!({"Variables": {"1A": "x"}}), 400, "ValidationException"),
        ("Environment", json!({"Variables": {"AWS_REGION": "x"}}), 400, "InvalidParameterValueException"),
        ("Tags", json!({"aws:x": "y"}), 400, "InvalidParameterValueException"),
        (
            "LoggingConfig",
            json!({"LogFormat": "Text", "ApplicationLogLevel": "DEBUG"}),
            400,
            "InvalidParameterValueException",
        ),
        ("Code", json!({"S3Bucket": "b", "S3Key": "k"}), 400, "InvalidParameterValueException"),
        ("Code", json!({"ZipFile": "bm8gemlw"}), 400, "InvalidParameterValueException"),
        ("Code", json!({"ZipFile": zip("a", big.as_bytes())}), 201, ""),
    ] {
        let mut input = create(&role);
        input[member] = value;
        let (got, error) = bench.lambda(Method::POST, "/2015-03-31/functions", input).await;
        assert_eq!(got, status, "{member}: {error}");
        assert_eq!(error["code"].as_str().unwrap_or_default(), code, "{member}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_kept_and_echoed() {
    // The layer is available as soon as its program exists; nothing is run here.
    let program = std::env::current_exe().unwrap();
    let bench = Bench::with(|options| options.adapters = vec![program]).await;
    let layer = "arn:aws:lambda:us-east-1:753240598075:layer:LambdaAdapterLayerX86:27";
    let more = json!({
        "Layers": [layer], "TracingConfig": {"Mode": "Active"}, "EphemeralStorage": {"Size": 1024},
        "Architectures": ["arm64"], "Tags": {"a": "b"}, "DurableConfig": {"ExecutionTimeout": 60}, "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/own"},
    });
    bench.function(more).await;
    bench.done(Method::PUT, "/2017-10-31/functions/f/concurrency", json!({"ReservedConcurrentExecutions": 5})).await;
    let shown = bench.done(Method::GET, &format!("{F}?Qualifier=live"), Value::Null).await;
    let configuration = &shown["Configuration"];
    assert_eq!(configuration["Layers"], json!([{"Arn": layer, "CodeSize": 0}]));
    assert_eq!(configuration["TracingConfig"], json!({"Mode": "Active"}));
    assert_eq!(configuration["EphemeralStorage"], json!({"Size": 1024}));
    assert_eq!(configuration["DurableConfig"], json!({"ExecutionTimeout": 60}));
    assert_eq!(configuration["Tags"], Value::Null);
    assert_eq!(configuration["Architectures"], json!(["arm64"]));
    assert_eq!(
        configuration["LoggingConfig"],
        json!({"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", "LogGroup": "/own"})
    );
    assert_eq!(configuration["Version"], "1");
    assert_eq!(configuration["FunctionArn"], "arn:aws:lambda:us-east-1:000000000000:function:f:live");
    assert_eq!(shown["Tags"], json!({"a": "b"}));
    assert_eq!(shown["Concurrency"], json!({"ReservedConcurrentExecutions": 5}));
    assert!(shown["Code"]["Location"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_adapter_has_another_publisher_in_each_region_of_china() {
    let program = std::env::current_exe().unwrap();
    let bench = Bench::with(|options| options.adapters = vec![program]).await;
    let role = bench.role().await;
    for (name, region, account) in [("north", "cn-north-1", "041581134020"), ("west", "cn-northwest-1", "069767869989")]
    {
        let layer = format!("arn:aws-cn:lambda:{region}:{account}:layer:LambdaAdapterLayerX86:27");
        let mut input = create(&role);
        input["FunctionName"] = json!(name);
        input["Layers"] = json!([layer]);
        let shown = bench.done(Method::POST, "/2015-03-31/functions", input).await;
        assert_eq!(shown["Layers"], json!([{"Arn": layer, "CodeSize": 0}]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_sit_on_functions_alone() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let path = "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af";
    bench.done(Method::POST, path, json!({"Tags": {"a": "b", "c": "d"}})).await;
    bench.done(Method::DELETE, &format!("{path}?tagKeys=a"), Value::Null).await;
    assert_eq!(bench.done(Method::GET, path, Value::Null).await["Tags"], json!({"c": "d"}));
    refused(&bench, Method::GET, &format!("{path}%3Alive"), Value::Null, 400, "InvalidParameterValueException").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_function_leaves_nothing() {
    let bench = Bench::start().await;
    let url = bench.public("BUFFERED", json!({})).await;
    assert_eq!(bench.http.get(&url).send().await.unwrap().status(), 200);
    bench.done(Method::DELETE, F, Value::Null).await;
    refused(&bench, Method::GET, F, Value::Null, 404, "ResourceNotFoundException").await;
    refused(&bench, Method::GET, &format!("{URL}?Qualifier=live"), Value::Null, 404, "ResourceNotFoundException").await;
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    wait_until("the port is closed", || std::net::TcpStream::connect(("127.0.0.1", port)).is_err()).await;
    // A new one has none of the old one's policies.
    let role = "arn:aws:iam::000000000000:role/role";
    bench.done(Method::POST, "/2015-03-31/functions", create(role)).await;
    let made = bench.done(Method::POST, &format!("{F}/versions"), json!({})).await;
    assert_eq!(made["Version"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn regions_are_apart_and_lists_have_pages() {
    let bench = Bench::start().await;
    let role = bench.role().await;
    for name in ["a", "b", "c"] {
        let mut input = create(&role);
        input["FunctionName"] = json!(name);
        bench.done(Method::POST, "/2015-03-31/functions", input).await;
    }
    let first = bench.done(Method::GET, "/2015-03-31/functions?MaxItems=2", Value::Null).await;
    let names = |value: &Value| -> Vec<String> {
        let functions = value["Functions"].as_array().unwrap();
        functions.iter().map(|function| function["FunctionName"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first), ["a", "b"]);
    let marker = first["NextMarker"].as_str().unwrap();
    let second =
        bench.done(Method::GET, &format!("/2015-03-31/functions?MaxItems=2&Marker={marker}"), Value::Null).await;
    assert_eq!(names(&second), ["c"]);
    let settings = bench.done(Method::GET, "/2016-08-19/account-settings", Value::Null).await;
    assert_eq!(settings["AccountUsage"]["FunctionCount"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_survives_a_restart() {
    let bench = Bench::start().await;
    let url = bench.public("BUFFERED", json!({"Tags": {"a": "b"}})).await;
    bench.invoked("live", json!({"path": "/log", "text": "before the restart"})).await;
    let before = bench.done(Method::GET, &format!("{F}?Qualifier=live"), Value::Null).await;
    let bench = bench.restart().await;
    let mut after = bench.done(Method::GET, &format!("{F}?Qualifier=live"), Value::Null).await;
    // The download URL is new each time.
    after["Code"] = before["Code"].clone();
    assert_eq!(after, before);
    let answer = bench.http.get(format!("{url}whoami")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let (_, found) =
        bench.logs("FilterLogEvents", json!({"logGroupName": "/aws/lambda/f", "filterPattern": "restart"})).await;
    assert_eq!(found["events"].as_array().unwrap().len(), 1, "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_reported_and_not_replaced() {
    let bench = Bench::start().await;
    let url = bench.public("BUFFERED", json!({})).await;
    let (data, options) = bench.stop().await;
    let port: u16 = url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    let taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let bench = Bench::again(data, options).await;
    bench.wait_for_note(&format!("port {port} cannot be opened")).await;
    let shown = bench.done(Method::GET, &format!("{URL}?Qualifier=live"), Value::Null).await;
    assert_eq!(shown["FunctionUrl"], json!(url));
    drop(taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_cannot_be_made_ends_as_failed() {
    let bench = Bench::with(|options| {
        options.pending = Duration::from_millis(200);
        options.failing = vec!["f".to_owned()];
    })
    .await;
    let role = bench.role().await;
    let made = bench.done(Method::POST, "/2015-03-31/functions", create(&role)).await;
    assert_eq!(made["State"], "Pending");
    let failed = wait(&bench, |value| value["State"] != "Pending").await;
    assert_eq!((&failed["State"], &failed["StateReasonCode"]), (&json!("Failed"), &json!("InternalError")));
    assert!(failed["StateReason"].as_str().is_some_and(|reason| !reason.is_empty()));
    assert_eq!(failed.get("LastUpdateStatus"), None);
    assert_ne!(failed["RevisionId"], made["RevisionId"]);
    for (method, path, input) in [
        (Method::PUT, "/configuration", json!({"MemorySize": 256})),
        (Method::PUT, "/code", json!({"ZipFile": package()})),
        (Method::POST, "/versions", json!({})),
        (Method::POST, "/invocations", json!({})),
    ] {
        let message = refused(&bench, method, &format!("{F}{path}"), input, 409, "ResourceConflictException").await;
        assert!(message.ends_with("following state: Failed"), "{message}");
    }
    // It can only be deleted; then the name is free.
    bench.done(Method::DELETE, F, Value::Null).await;
    bench.done(Method::POST, "/2015-03-31/functions", create(&role)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_serves_the_old_configuration_until_it_is_complete() {
    let bench = Bench::with(|options| options.update = Duration::from_millis(1500)).await;
    bench.function(json!({"Environment": {"Variables": {"WHICH": "old"}}})).await;
    let input = json!({"Environment": {"Variables": {"WHICH": "new"}}});
    bench.done(Method::PUT, &format!("{F}/configuration"), input).await;
    let seen = bench.invoked("$LATEST", json!({"path": "/environment"})).await;
    let shown = bench.done(Method::GET, &format!("{F}/configuration"), Value::Null).await;
    assert_eq!(shown["Environment"]["Variables"]["WHICH"], "new");
    assert_eq!((&shown["LastUpdateStatus"], &seen["WHICH"]), (&json!("InProgress"), &json!("old")));
    wait(&bench, |value| value["LastUpdateStatus"] == "Successful").await;
    assert_eq!(bench.invoked("$LATEST", json!({"path": "/environment"})).await["WHICH"], "new");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_fails_leaves_the_old_configuration_serving() {
    let bench = Bench::start().await;
    bench.function(json!({"Environment": {"Variables": {"WHICH": "old"}}})).await;
    let (data, mut options) = bench.stop().await;
    options.failing = vec!["f".to_owned()];
    let bench = Bench::again(data, options).await;
    for which in ["new", "newer"] {
        let input = json!({"Environment": {"Variables": {"WHICH": which}}});
        bench.done(Method::PUT, &format!("{F}/configuration"), input).await;
        let shown = bench.done(Method::GET, &format!("{F}/configuration"), Value::Null).await;
        assert_eq!((&shown["State"], &shown["LastUpdateStatus"]), (&json!("Active"), &json!("Failed")));
        assert_eq!(shown["LastUpdateStatusReasonCode"], "InternalError");
        assert_eq!(bench.invoked("$LATEST", json!({"path": "/environment"})).await["WHICH"], "old");
    }
    let (data, mut options) = bench.stop().await;
    options.failing.clear();
    let bench = Bench::again(data, options).await;
    bench.done(Method::PUT, &format!("{F}/configuration"), json!({"MemorySize": 256})).await;
    let shown = bench.done(Method::GET, &format!("{F}/configuration"), Value::Null).await;
    assert_eq!((&shown["LastUpdateStatus"], shown.get("LastUpdateStatusReason")), (&json!("Successful"), None));
    assert_eq!(bench.invoked("$LATEST", json!({"path": "/environment"})).await["WHICH"], "newer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_of_this_region_and_this_account() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let path = |name: &str| format!("/2015-03-31/functions/{name}");
    for name in ["f", "function:f", "000000000000:function:f", "arn:aws:lambda:us-east-1:000000000000:function:f"] {
        bench.done(Method::GET, &path(name), Value::Null).await;
    }
    let abroad = path("arn:aws:lambda:eu-west-1:000000000000:function:f");
    let message = refused(&bench, Method::DELETE, &abroad, Value::Null, 404, "ResourceNotFoundException").await;
    assert_eq!(message, "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')");
    let strangers = path("arn:aws:lambda:us-east-1:111111111111:function:f");
    refused(&bench, Method::DELETE, &strangers, Value::Null, 403, "AccessDeniedException").await;
    for name in ["invalid-account:function:f", "arn:aws:lambda::000000000000:function:f", "f:b:c", "f:not%20so"] {
        refused(&bench, Method::DELETE, &path(name), Value::Null, 400, "ValidationException").await;
    }
    bench.done(Method::GET, &path("f"), Value::Null).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_pending_only_with_its_function() {
    let bench = Bench::with(|options| options.pending = Duration::from_millis(300)).await;
    let mut input = create(&bench.role().await);
    input["Publish"] = json!(true);
    let made = bench.done(Method::POST, "/2015-03-31/functions", input).await;
    assert_eq!((&made["Version"], &made["State"]), (&json!("1"), &json!("Pending")));
    assert!(made["FunctionArn"].as_str().unwrap().ends_with(":function:f"), "{made}");
    wait(&bench, |shown| shown["State"] == "Active").await;
    let first = bench.done(Method::GET, &format!("{F}/configuration?Qualifier=1"), Value::Null).await;
    assert_eq!(first["State"], "Active");
    assert_ne!(first["RevisionId"], made["RevisionId"]);

    bench.done(Method::PUT, &format!("{F}/configuration"), json!({"MemorySize": 256})).await;
    wait(&bench, |shown| shown["LastUpdateStatus"] == "Successful").await;
    let second = bench.done(Method::POST, &format!("{F}/versions"), json!({})).await;
    assert_eq!((&second["State"], &second["LastUpdateStatus"]), (&json!("Active"), &json!("Successful")));
    let shown = bench.done(Method::GET, &format!("{F}/configuration?Qualifier=2"), Value::Null).await;
    assert_eq!(shown["RevisionId"], second["RevisionId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_may_be_deleted_page_by_page() {
    let bench = Bench::start().await;
    for number in 0..5 {
        bench.logs("CreateLogGroup", json!({"logGroupName": format!("group-{number}")})).await;
    }
    let (mut token, mut seen) = (Value::Null, Vec::new());
    loop {
        let (_, page) = bench.logs("DescribeLogGroups", json!({"limit": 2, "nextToken": token})).await;
        for group in page["logGroups"].as_array().unwrap() {
            bench.logs("DeleteLogGroup", json!({"logGroupName": group["logGroupName"]})).await;
            seen.push(group["logGroupName"].as_str().unwrap().to_owned());
        }
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, ["group-0", "group-1", "group-2", "group-3", "group-4"]);
    let (status, error) = bench.logs("DescribeLogGroups", json!({"nextToken": "!"})).await;
    assert_eq!((status, &error["__type"]), (400, &json!("InvalidParameterException")));
}
