//! Answers that were recorded on AWS, word for word.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Bench;

const F: &str = "/2015-03-31/functions";
const URLS: &str = "/2021-10-31/functions";
const PROVISIONED: &str = "/2019-09-30/functions";
const TAGS: &str = "/2017-03-31/tags";
const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function";

const REFERENCE: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?";
const QUALIFIER: &str = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+";
const NOT_FOUND: &str = "ResourceNotFoundException";
const PARAMETER: &str = "InvalidParameterValueException";
const GONE: &str = "The resource you requested does not exist.";

type Refusal = (Method, String, Value, u16, &'static str, String);

async fn expect(bench: &Bench, refusals: Vec<Refusal>) {
    for (method, path, body, status, code, message) in refusals {
        let (got, error) = bench.lambda(method.clone(), &path, body).await;
        let said = error["message"].as_str().or(error["Message"].as_str());
        assert_eq!((got, error["code"].as_str(), said), (status, Some(code), Some(&*message)), "{method} {path}");
    }
}

fn violation(value: &str, member: &str, constraint: &str) -> String {
    format!("1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}")
}

fn pattern(value: &str, member: &str, pattern: &str) -> String {
    violation(value, member, &format!("Member must satisfy regular expression pattern: {pattern}"))
}

fn get(path: String, status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
    (Method::GET, path, Value::Null, status, code, message.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_qualifiers() {
    let bench = Bench::start().await;
    let long = "a".repeat(129);
    let elsewhere = format!("arn:aws:lambda:invalid-region:000000000000:function:{}", "a".repeat(170));
    let both = format!(
        "2 validation errors detected: Value '{long}' at 'qualifier' failed to satisfy constraint: Member must have \
         length less than or equal to 128; Value '{elsewhere}' at 'functionName' failed to satisfy constraint: Member \
         must satisfy regular expression pattern: {REFERENCE}"
    );
    let invalid = "ValidationException";
    let (none, colon) = (json!({}), "%3A");
    let refusals = vec![
        get(format!("{F}/my-function!"), 400, invalid, pattern("my-function!", "functionName", REFERENCE)),
        get(format!("{F}/f?Qualifier=invalid!"), 400, invalid, pattern("invalid!", "qualifier", QUALIFIER)),
        get(
            format!("{F}/f?Qualifier={long}"),
            400,
            invalid,
            violation(&long, "qualifier", "Member must have length less than or equal to 128"),
        ),
        get(format!("{F}/{elsewhere}?Qualifier={long}"), 400, invalid, both),
        get(
            format!("{F}/{ARN}:f:$LATES").replace(':', colon),
            400,
            invalid,
            pattern(&format!("{ARN}:f:$LATES"), "functionName", REFERENCE),
        ),
        // Without a name, what is before it is the name.
        get(format!("{F}/{ARN}"), 404, NOT_FOUND, format!("Function not found: {ARN}:function")),
        get(format!("{F}/f?Qualifier=$latest"), 404, NOT_FOUND, format!("Function not found: {ARN}:f:$latest")),
        get(
            format!("{F}/f:$LATEST?Qualifier=1"),
            400,
            PARAMETER,
            "The derived qualifier from the function name does not match the specified qualifier.",
        ),
        (
            Method::POST,
            format!("{F}/f/invocations"),
            none.clone(),
            404,
            NOT_FOUND,
            format!("Function not found: {ARN}:f:$LATEST"),
        ),
        (
            Method::DELETE,
            format!("{F}/f?Qualifier=$LATEST"),
            none.clone(),
            400,
            PARAMETER,
            "$LATEST version cannot be deleted without deleting the function.".into(),
        ),
        (
            Method::DELETE,
            format!("{F}/f?Qualifier=live"),
            none.clone(),
            400,
            PARAMETER,
            "Deletion of aliases is not currently supported.".into(),
        ),
        (Method::DELETE, format!("{F}/f?Qualifier=1"), none, 404, NOT_FOUND, format!("Function not found: {ARN}:f")),
        get(
            format!("{F}?FunctionVersion=invalid"),
            400,
            invalid,
            violation("invalid", "functionVersion", "Member must satisfy enum value set: [ALL]"),
        ),
    ];
    expect(&bench, refusals).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aliases_and_their_weights() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let weights = |weights: Value| json!({"Name": "a", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": weights}});
    let member = "routingConfig.additionalVersionWeights";
    let value = "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]";
    let key = "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]";
    let invalid = "ValidationException";
    let aliases = format!("{F}/f/aliases");
    let refusals = vec![
        get(format!("{aliases}/none"), 404, NOT_FOUND, format!("Cannot find alias arn: {ARN}:f:none")),
        (Method::PUT, format!("{aliases}/none"), json!({}), 404, NOT_FOUND, format!("Alias not found: {ARN}:f:none")),
        (Method::POST, aliases.clone(), weights(json!({"2": 2})), 400, invalid, violation("{2=2.0}", member, value)),
        (Method::POST, aliases.clone(), weights(json!({"2": -1})), 400, invalid, violation("{2=-1.0}", member, value)),
        (
            Method::POST,
            aliases,
            weights(json!({"$LATEST": 0.5})),
            400,
            invalid,
            violation("{$LATEST=0.5}", member, key),
        ),
        (
            Method::POST,
            format!("{F}/none/aliases"),
            weights(json!({})),
            404,
            NOT_FOUND,
            format!("Function not found: {ARN}:none:1"),
        ),
    ];
    expect(&bench, refusals).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn urls() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let open = json!({"AuthType": "NONE"});
    let nowhere = "Function does not exist";
    let mut refusals = vec![get(format!("{URLS}/none/urls"), 404, NOT_FOUND, nowhere)];
    for path in ["none/url", "f/url?Qualifier=none"] {
        refusals.extend([
            (Method::POST, format!("{URLS}/{path}"), open.clone(), 404, NOT_FOUND, nowhere.into()),
            (Method::PUT, format!("{URLS}/{path}"), open.clone(), 404, NOT_FOUND, nowhere.into()),
            get(format!("{URLS}/{path}"), 404, NOT_FOUND, GONE),
            (Method::DELETE, format!("{URLS}/{path}"), json!({}), 404, NOT_FOUND, GONE.into()),
        ]);
    }
    for qualifier in ["1", "$LATEST"] {
        let message = pattern(qualifier, "qualifier", r"((?!^\d+$)^[0-9a-zA-Z-_]+$)");
        refusals.push(get(format!("{URLS}/f/url?Qualifier={qualifier}"), 400, "ValidationException", message));
    }
    expect(&bench, refusals).await;

    // A mode that was never set is shown only when the URL is read.
    let url = format!("{URLS}/f/url?Qualifier=live");
    let made = bench.done(Method::POST, &url, open).await;
    assert_eq!(made.get("InvokeMode"), None);
    assert_eq!(bench.done(Method::GET, &url, Value::Null).await["InvokeMode"], "BUFFERED");
    let changed = bench.done(Method::PUT, &url, json!({"InvokeMode": "RESPONSE_STREAM"})).await;
    assert_eq!(changed["InvokeMode"], "RESPONSE_STREAM");
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_and_the_revision_they_change() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let tags = json!({"Tags": {"a": "b"}});
    let qualified = "Tags on function aliases and versions are not supported. Please specify a function ARN.";
    let (status, error) = bench.lambda(Method::GET, &format!("{TAGS}/arn:aws:something"), Value::Null).await;
    let message = error["message"].as_str().unwrap();
    assert_eq!((status, error["code"].as_str()), (400, Some("ValidationException")));
    assert!(message.contains("Value 'arn:aws:something' at 'resource' failed"), "{message}");
    let refusals = vec![
        (Method::POST, format!("{TAGS}/{ARN}:f:live"), tags.clone(), 400, PARAMETER, qualified.to_owned()),
        (Method::POST, format!("{TAGS}/{ARN}:g"), tags.clone(), 404, NOT_FOUND, format!("Function not found: {ARN}:g")),
        (
            Method::POST,
            format!("{TAGS}/{ARN}:f"),
            json!({"Tags": {}}),
            400,
            PARAMETER,
            "An error occurred and the request cannot be processed.".into(),
        ),
        (
            Method::DELETE,
            format!("{TAGS}/{ARN}:f"),
            json!({}),
            400,
            "ValidationException",
            "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"
                .into(),
        ),
    ];
    expect(&bench, refusals).await;
    let revision =
        async || bench.done(Method::GET, &format!("{F}/f/configuration"), Value::Null).await["RevisionId"].clone();
    let before = revision().await;
    bench.done(Method::POST, &format!("{TAGS}/{ARN}:f"), tags).await;
    let tagged = revision().await;
    bench.done(Method::DELETE, &format!("{TAGS}/{ARN}:f?tagKeys=a"), json!({})).await;
    assert!(before != tagged && tagged != revision().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_and_their_revision() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let policy = format!("{F}/f/policy");
    let statement =
        |id: &str| json!({"StatementId": id, "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"});
    let with = |id: &str, revision: &Value| {
        let mut input = statement(id);
        input["RevisionId"] = revision.clone();
        input
    };
    let alias = format!("Cannot find alias arn: {ARN}:f:none");
    let refusals = vec![
        get(format!("{F}/none/policy"), 404, NOT_FOUND, GONE),
        get(format!("{policy}?Qualifier=77"), 404, NOT_FOUND, GONE),
        (Method::POST, format!("{policy}?Qualifier=none"), statement("s"), 404, NOT_FOUND, alias.clone()),
        (Method::DELETE, format!("{policy}/s?Qualifier=none"), json!({}), 404, NOT_FOUND, alias),
        (
            Method::POST,
            format!("{policy}?Qualifier=42"),
            statement("s"),
            404,
            NOT_FOUND,
            format!("Function not found: {ARN}:f:42"),
        ),
        (
            Method::DELETE,
            format!("{F}/none/policy/s"),
            json!({}),
            404,
            NOT_FOUND,
            format!("No policy found for: {ARN}:none"),
        ),
        (
            Method::POST,
            policy.clone(),
            with("s", &json!("wrong")),
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id".into(),
        ),
    ];
    expect(&bench, refusals).await;

    // A version that is published changes the function's revision, but not its policy's.
    bench.done(Method::POST, &policy, statement("s")).await;
    let before = bench.done(Method::GET, &policy, Value::Null).await["RevisionId"].clone();
    let configuration = format!("{F}/f/configuration");
    assert_eq!(bench.done(Method::GET, &configuration, Value::Null).await["RevisionId"], before);
    bench.done(Method::PUT, &configuration, json!({"MemorySize": 256})).await;
    bench.done(Method::POST, &format!("{F}/f/versions"), json!({})).await;
    assert_eq!(bench.done(Method::GET, &policy, Value::Null).await["RevisionId"], before);
    bench.done(Method::POST, &policy, with("t", &before)).await;
    let after = bench.done(Method::GET, &policy, Value::Null).await["RevisionId"].clone();
    assert_ne!(after, before);
    assert_eq!(bench.done(Method::GET, &configuration, Value::Null).await["RevisionId"], after);
}

#[tokio::test(flavor = "multi_thread")]
async fn provisioned_and_reserved_concurrency() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let input = json!({"ProvisionedConcurrentExecutions": 1});
    let path = |qualifier: &str| format!("{PROVISIONED}/f/provisioned-concurrency?Qualifier={qualifier}");
    let neither = "The function resource provided must be an alias or a published version.";
    let refusals = vec![
        get(path("$LATEST"), 400, PARAMETER, neither),
        get(path("none"), 404, NOT_FOUND, format!("Cannot find alias arn: {ARN}:f:none")),
        (Method::DELETE, path("10"), json!({}), 404, NOT_FOUND, format!("Function not found: {ARN}:f:10")),
        (
            Method::PUT,
            path("$LATEST"),
            input.clone(),
            400,
            PARAMETER,
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.".into(),
        ),
        (
            Method::PUT,
            path("live"),
            json!({"ProvisionedConcurrentExecutions": 1001}),
            400,
            PARAMETER,
            "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].".into(),
        ),
        (
            Method::PUT,
            path("live"),
            json!({"ProvisionedConcurrentExecutions": 901}),
            400,
            PARAMETER,
            "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].".into(),
        ),
        (
            Method::PUT,
            "/2017-10-31/functions/none/concurrency".into(),
            json!({"ReservedConcurrentExecutions": 1}),
            404,
            NOT_FOUND,
            format!("Function not found: {ARN}:none:$LATEST"),
        ),
    ];
    expect(&bench, refusals).await;

    bench.done(Method::PUT, &path("1"), input.clone()).await;
    let taken = "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version";
    let conflict = "ResourceConflictException";
    expect(&bench, vec![(Method::PUT, path("live"), input.clone(), 409, conflict, taken.into())]).await;
    bench.done(Method::DELETE, &path("1"), json!({})).await;
    bench.done(Method::PUT, &path("live"), input.clone()).await;
    let pointed = "Version is pointed by a Provisioned Concurrency alias";
    expect(&bench, vec![(Method::PUT, path("1"), input, 409, conflict, pointed.into())]).await;
    let reserve = async |count: u32| {
        let input = json!({"ReservedConcurrentExecutions": count});
        bench.lambda(Method::PUT, "/2017-10-31/functions/f/concurrency", input).await
    };
    let (status, error) = reserve(0).await;
    let low = " ReservedConcurrentExecutions  0 should not be lower than function's total provisioned concurrency [1].";
    assert_eq!((status, error["message"].as_str()), (400, Some(low)));
    assert_eq!(reserve(1).await.0, 200);
    let more =
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function";
    let two = json!({"ProvisionedConcurrentExecutions": 2});
    expect(&bench, vec![(Method::PUT, path("live"), two, 400, PARAMETER, more.into())]).await;
    let list = format!("{PROVISIONED}/f/provisioned-concurrency?List=ALL");
    let all = bench.done(Method::GET, &list, Value::Null).await;
    assert_eq!(all["ProvisionedConcurrencyConfigs"][0]["FunctionArn"], format!("{ARN}:f:live"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_and_what_lists_leave_out() {
    let bench = Bench::start().await;
    bench.function(json!({"Environment": {"Variables": {}}})).await;
    let shown = bench.done(Method::GET, &format!("{F}/f"), Value::Null).await;
    let (code, configuration) = (&shown["Code"], &shown["Configuration"]);
    assert_eq!(configuration["Environment"], json!({"Variables": {}}));
    let build = configuration["RuntimeVersionConfig"]["RuntimeVersionArn"].as_str().unwrap();
    let hex = build.strip_prefix("arn:aws:lambda:us-east-1::runtime:").unwrap();
    assert!(hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{build}");

    let address = code["Location"].as_str().unwrap();
    assert_eq!(code["RepositoryType"], "S3");
    let zip = bench.http.get(address).send().await.unwrap();
    assert_eq!(zip.status(), 200);
    assert_eq!(json!(zip.bytes().await.unwrap().len()), configuration["CodeSize"]);
    let (unsigned, _) = address.split_once('?').unwrap();
    for forged in [unsigned.to_owned(), address.replace("expires=", "expires=1"), format!("{address}0")] {
        assert_eq!(bench.http.get(&forged).send().await.unwrap().status(), 403, "{forged}");
    }

    for (path, list) in [(F.to_owned(), "Functions"), (format!("{F}/f/versions"), "Versions")] {
        let items = bench.done(Method::GET, &path, Value::Null).await;
        let first = &items[list][0];
        assert_eq!(first["FunctionName"], "f");
        for member in ["State", "LastUpdateStatus", "RuntimeVersionConfig"] {
            assert_eq!(first.get(member), None, "{list}: {member}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn layers() {
    let bench = Bench::start().await;
    let layers = "/2018-10-31/layers";
    let content = json!({"Content": {"ZipFile": crate::support::zip("a", b"a")}, "CompatibleRuntimes": ["python3.13"]});
    for _ in 0..2 {
        bench.done(Method::POST, &format!("{layers}/one/versions"), content.clone()).await;
    }
    let role = bench.role().await;
    let arn = |number: u32| format!("arn:aws:lambda:us-east-1:000000000000:layer:one:{number}");
    let with = |layers: Vec<String>| {
        json!({"FunctionName": "f", "Role": role, "Runtime": "provided.al2023", "Handler": "bootstrap",
               "Code": {"ZipFile": crate::support::package()}, "Layers": layers})
    };
    let less = "Layer Version Cannot be less than 1";
    let (one, two) = (arn(1), arn(2));
    let refusals = vec![
        get(format!("{layers}/none/versions/1"), 404, NOT_FOUND, GONE),
        get(format!("{layers}/one/versions/0"), 400, PARAMETER, less),
        (Method::DELETE, format!("{layers}/one/versions/-1"), json!({}), 400, PARAMETER, less.into()),
        (
            Method::POST,
            F.into(),
            with(vec![one.clone(), two.clone()]),
            400,
            PARAMETER,
            format!(
                "Two different versions of the same layer are not allowed to be referenced in the same function. {one} and {two} are versions of the same layer."
            ),
        ),
        (
            Method::POST,
            F.into(),
            with(vec![arn(9)]),
            400,
            PARAMETER,
            format!("Layer version {} does not exist.", arn(9)),
        ),
    ];
    expect(&bench, refusals).await;
    let (status, error) =
        bench.lambda(Method::POST, F, with(vec!["arn:aws:lambda:us-east-1:000000000000:layer:one".into()])).await;
    assert_eq!((status, error["code"].as_str()), (400, Some("ValidationException")), "{error}");

    let found =
        async |query: &str| bench.done(Method::GET, &format!("{layers}?{query}"), Value::Null).await["Layers"].clone();
    assert_eq!(found("CompatibleRuntime=python3.13").await[0]["LatestMatchingVersion"]["Version"], 2);
    assert_eq!(found("CompatibleRuntime=ruby3.4").await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets() {
    let bench = Bench::start().await;
    let call = async |action: &str, input: Value| {
        let target = format!("secretsmanager.{action}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let url = format!("{}/", bench.address);
        let answer = bench.signed("secretsmanager", Method::POST, &url, &headers, input.to_string().into_bytes()).await;
        (answer.status().as_u16(), serde_json::from_slice::<Value>(&answer.bytes().await.unwrap()).unwrap())
    };
    let token = "00000000-0000-0000-0000-000000000000";
    let made = call("CreateSecret", json!({"Name": "s", "SecretString": "old", "ClientRequestToken": token})).await;
    assert_eq!((made.0, made.1["VersionId"].as_str()), (200, Some(token)));
    let marked = json!({"Name": "gone", "SecretString": "old", "ClientRequestToken": token});
    call("CreateSecret", marked.clone()).await;
    call("DeleteSecret", json!({"SecretId": "gone"})).await;
    let no_token = "You must provide a ClientRequestToken value. We recommend a UUID-type value.";
    let deleted = "You can't perform this operation on the secret because it was marked for deletion.";
    for (action, input, code, words) in [
        ("CreateSecret", json!({"Name": "t", "SecretString": "x"}), "InvalidRequestException", no_token),
        ("PutSecretValue", json!({"SecretId": "s", "SecretString": "x"}), "InvalidRequestException", no_token),
        ("GetSecretValue", json!({"SecretId": "none"}), NOT_FOUND, "Secrets Manager can't find the specified secret."),
        (
            "GetSecretValue",
            json!({"SecretId": "s", "VersionStage": "AWSPREVIOUS"}),
            NOT_FOUND,
            "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS",
        ),
        (
            "GetSecretValue",
            json!({"SecretId": "s", "VersionStage": "AWSPREVIOUS", "VersionId": token}),
            "InvalidRequestException",
            "You provided a VersionStage that is not associated to the provided VersionId.",
        ),
        ("GetSecretValue", json!({"SecretId": "gone"}), "InvalidRequestException", deleted),
        (
            "CreateSecret",
            marked,
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        ),
        (
            "CreateSecret",
            json!({"Name": "s", "SecretString": "other", "ClientRequestToken": token}),
            "ResourceExistsException",
            "The operation failed because the secret s already exists.",
        ),
        (
            "CreateSecret",
            json!({"Name": "a b", "SecretString": "x", "ClientRequestToken": token}),
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ),
    ] {
        let (status, error) = call(action, input.clone()).await;
        // The errors of the model have `Message`; those of AWS's front end have `message`.
        let said = error[if code == "ValidationException" { "message" } else { "Message" }].as_str();
        assert_eq!((status, error["__type"].as_str(), said), (400, Some(code), Some(words)), "{action} {input}");
    }
}
