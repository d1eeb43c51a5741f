//! STS, IAM and the settings of log groups.

use std::time::SystemTime;

use localcloud::Credentials;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Bench, TRUST, signature};

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_is_the_account() {
    let bench = Bench::start().await;
    let (status, text) = bench.query("sts", "GetCallerIdentity", &[]).await;
    assert_eq!(status, 200);
    assert!(text.contains("<GetCallerIdentityResult>") && text.contains("<Account>000000000000</Account>"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_goes_only_after_its_policies() {
    let bench = Bench::start().await;
    let role = ("RoleName", "Role");
    let create = [
        role,
        ("AssumeRolePolicyDocument", TRUST),
        ("Path", "/lamstream/app/"),
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", "b"),
    ];
    assert_eq!(bench.query("iam", "CreateRole", &create).await.0, 200);
    // Names are unique regardless of case.
    let (status, text) = bench.query("iam", "CreateRole", &[("RoleName", "ROLE"), create[1]]).await;
    assert!(status == 409 && text.contains("EntityAlreadyExists"), "{text}");
    let (_, text) = bench.query("iam", "GetRole", &[role]).await;
    assert!(text.contains("<Arn>arn:aws:iam::000000000000:role/lamstream/app/Role</Arn>"), "{text}");
    assert!(text.contains("<Tags><member><Key>a</Key><Value>b</Value></member></Tags>"), "{text}");

    let allow = r#"{"Statement":[{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"*"}]}"#;
    let inline = [role, ("PolicyName", "logs"), ("PolicyDocument", allow)];
    assert_eq!(bench.query("iam", "PutRolePolicy", &inline).await.0, 200);
    for (document, why) in [
        (TRUST, "should not specify a principal"),
        (r#"{"Statement":[{"Effect":"Alow","Action":"*","Resource":"*"}]}"#, "Syntax errors"),
        (r#"{"Statement":[{"Effect":"Allow","Resource":"*"}]}"#, "must contain actions"),
        (r#"{"Statement":[{"Effect":"Allow","Action":"*"}]}"#, "must contain resources"),
    ] {
        let (status, text) =
            bench.query("iam", "PutRolePolicy", &[role, inline[1], ("PolicyDocument", document)]).await;
        assert!(status == 400 && text.contains("MalformedPolicyDocument") && text.contains(why), "{text}");
    }
    let managed = [role, ("PolicyArn", "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")];
    assert_eq!(bench.query("iam", "AttachRolePolicy", &managed).await.0, 200);
    let (_, text) = bench.query("iam", "ListAttachedRolePolicies", &[role]).await;
    assert!(text.contains("<PolicyName>AWSLambdaBasicExecutionRole</PolicyName>"), "{text}");
    for (action, fields) in [("DeleteRolePolicy", &inline[..2]), ("DetachRolePolicy", &managed[..])] {
        let (status, text) = bench.query("iam", "DeleteRole", &[role]).await;
        assert!(status == 409 && text.contains("DeleteConflict"), "{text}");
        assert_eq!(bench.query("iam", action, fields).await.0, 200);
    }
    assert_eq!(bench.query("iam", "DeleteRole", &[role]).await.0, 200);
    let (status, text) = bench.query("iam", "GetRole", &[role]).await;
    assert!(status == 404 && text.contains("NoSuchEntity"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_of_ones_own_has_to_exist_and_survives_a_restart() {
    let bench = Bench::start().await;
    bench.role().await;
    let arn = |name: &str| format!("arn:aws:iam::000000000000:policy/{name}");
    let attach = async |bench: &Bench, arn: &str| {
        bench.query("iam", "AttachRolePolicy", &[("RoleName", "role"), ("PolicyArn", arn)]).await
    };
    let (status, text) = attach(&bench, &arn("p0")).await;
    assert!(status == 404 && text.contains("p0 does not exist or is not attachable."), "{text}");
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    for number in 0..11 {
        let name = format!("p{number}");
        let fields = [("PolicyName", &*name), ("PolicyDocument", document)];
        assert_eq!(bench.query("iam", "CreatePolicy", &fields).await.0, 200);
    }
    let bench = bench.restart().await;
    for number in 0..10 {
        assert_eq!(attach(&bench, &arn(&format!("p{number}"))).await.0, 200);
    }
    let (status, text) = attach(&bench, &arn("p10")).await;
    assert!(status == 409 && text.contains("Cannot exceed quota for PoliciesPerRole: 10"), "{text}");
    // A policy can be attached twice, and cannot be deleted while it is attached.
    assert_eq!(attach(&bench, &arn("p9")).await.0, 200);
    let (status, text) = bench.query("iam", "DeletePolicy", &[("PolicyArn", &*arn("p9"))]).await;
    assert!(status == 409 && text.contains("Cannot delete a policy attached to entities."), "{text}");
    assert_eq!(bench.query("iam", "DeletePolicy", &[("PolicyArn", &*arn("p10"))]).await.0, 200);

    let long = document.replace("\"*\"}", &format!("\"{}\"}}", "x".repeat(6144)));
    let fields = [("PolicyName", "long"), ("PolicyDocument", &*long)];
    let (status, text) = bench.query("iam", "CreatePolicy", &fields).await;
    assert!(status == 409 && text.contains("Cannot exceed quota for PolicySize: 6144"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_policy_is_refused() {
    let bench = Bench::start().await;
    let fields = [("RoleName", "role"), ("AssumeRolePolicyDocument", "{nonsense")];
    let (status, text) = bench.query("iam", "CreateRole", &fields).await;
    assert!(status == 400 && text.contains("MalformedPolicyDocument"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn log_groups_keep_retention_and_tags() {
    let bench = Bench::start().await;
    let name = json!({"logGroupName": "/aws/lambda/f", "tags": {"a": "b"}});
    assert_eq!(bench.logs("CreateLogGroup", name.clone()).await.0, 200);
    let (status, error) = bench.logs("CreateLogGroup", name).await;
    assert_eq!((status, &error["__type"]), (400, &json!("ResourceAlreadyExistsException")));
    let retention = |days: u32| json!({"logGroupName": "/aws/lambda/f", "retentionInDays": days});
    assert_eq!(bench.logs("PutRetentionPolicy", retention(8)).await.0, 400);
    assert_eq!(bench.logs("PutRetentionPolicy", retention(7)).await.0, 200);
    let (_, shown) = bench.logs("DescribeLogGroups", json!({"logGroupNamePrefix": "/aws/lambda/f"})).await;
    let group = &shown["logGroups"][0];
    assert_eq!(group["retentionInDays"], 7);
    let arn = group["logGroupArn"].as_str().unwrap();
    assert_eq!(group["arn"], json!(format!("{arn}:*")));
    let (_, tags) = bench.logs("ListTagsForResource", json!({"resourceArn": arn})).await;
    assert_eq!(tags["tags"], json!({"a": "b"}));
    assert_eq!(bench.logs("DeleteLogGroup", json!({"logGroupName": "/aws/lambda/f"})).await, (200, Value::Null));
    assert_eq!(bench.logs("DeleteLogGroup", json!({"logGroupName": "/aws/lambda/f"})).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_a_client_puts_lie_in_the_order_of_their_times() {
    let bench = Bench::start().await;
    let group = json!({"logGroupName": "own"});
    bench.logs("CreateLogGroup", group.clone()).await;
    let with = |more: Value| {
        let mut input = json!({"logGroupName": "own", "logStreamName": "s"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    bench.logs("CreateLogStream", with(json!({}))).await;
    let (_, streams) = bench.logs("DescribeLogStreams", group.clone()).await;
    let empty = &streams["logStreams"][0];
    assert_eq!((&empty["logStreamName"], empty.get("firstEventTimestamp")), (&json!("s"), None));
    assert!(empty["creationTime"].as_i64().unwrap() > 1_700_000_000_000, "{empty}");

    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let put = async |at: i64, message: &str| {
        let events = json!({"logEvents": [{"timestamp": at, "message": message}]});
        bench.logs("PutLogEvents", with(events)).await
    };
    assert_eq!(put(now, "second").await.0, 200);
    assert_eq!(put(now - 1000, "first").await.0, 200);
    let messages = |found: &Value| -> Vec<String> {
        let events = found["events"].as_array().unwrap().iter();
        events.map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    };
    let (_, found) = bench.logs("GetLogEvents", with(json!({"startFromHead": true}))).await;
    assert_eq!(messages(&found), ["first", "second"]);
    assert!(found["events"][0]["ingestionTime"].as_i64() > found["events"][0]["timestamp"].as_i64());
    let (_, found) = bench.logs("FilterLogEvents", json!({"logGroupName": "own", "filterPattern": "first"})).await;
    assert_eq!(messages(&found), ["first"]);

    // Events older than the group's retention are rejected.
    bench.logs("PutRetentionPolicy", json!({"logGroupName": "own", "retentionInDays": 1})).await;
    let (_, answer) = put(now - 2 * 24 * 60 * 60 * 1000, "gone").await;
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"expiredLogEventEndIndex": 1}));
    let (_, found) = bench.logs("GetLogEvents", with(json!({"startFromHead": true}))).await;
    assert_eq!(messages(&found), ["first", "second"]);
    for (action, input, why) in [
        ("GetLogEvents", with(json!({"limit": 10_001})), "less than or equal to 10000"),
        ("FilterLogEvents", json!({"logGroupName": "own", "limit": 0}), "greater than or equal to 1"),
        ("PutLogEvents", with(json!({"logEvents": []})), "greater than or equal to 1"),
        (
            "PutLogEvents",
            with(json!({"logEvents": [{"timestamp": now, "message": "x".repeat(1_048_551)}]})),
            "too large",
        ),
        ("CreateLogGroup", json!({"logGroupName": "x".repeat(513)}), "less than or equal to 512"),
        ("DescribeLogGroups", json!({"logGroupNamePrefix": "a", "logGroupNamePattern": "b"}), "mutually exclusive"),
    ] {
        let (status, error) = bench.logs(action, input).await;
        let message = error["message"].as_str().unwrap();
        assert_eq!((status, &error["__type"]), (400, &json!("InvalidParameterException")), "{action}");
        assert!(message.contains(why), "{action}: {message}");
    }
}

/// A role of that name, which a principal other than Lambda may assume.
async fn role_of(bench: &Bench, name: &str, principal: &str) -> String {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"},
    ]});
    let form = [("RoleName", name), ("AssumeRolePolicyDocument", &trust.to_string())];
    let (status, text) = bench.query("iam", "CreateRole", &form).await;
    assert_eq!(status, 200, "{text}");
    format!("arn:aws:iam::000000000000:role/{name}")
}

/// The caller's identity for these credentials.
async fn who(bench: &Bench, credentials: &Credentials, token: Option<&str>) -> (u16, String) {
    let (url, body) = (format!("{}/", bench.address), "Action=GetCallerIdentity");
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    headers.extend(token.map(|token| ("x-amz-security-token", token)));
    let signed = signature(credentials, "sts", SystemTime::now(), &Method::POST, &url, &headers, body.as_bytes());
    let mut request = bench.http.post(&url).body(body);
    for (name, value) in headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).chain(signed) {
        request = request.header(name, value);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_role_opens_the_api_with_its_token() {
    let bench = Bench::start().await;
    let role = role_of(&bench, "mine", "arn:aws:iam::000000000000:root").await;
    let (credentials, token) = bench.session(&role).await;
    let (status, text) = who(&bench, &credentials, Some(&token)).await;
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("<Arn>arn:aws:sts::000000000000:assumed-role/mine/me</Arn>"), "{text}");
    assert!(text.contains(":me</UserId>"), "{text}");
    // Neither without the token, nor with another, nor with another secret.
    for token in [None, Some("other")] {
        let (status, text) = who(&bench, &credentials, token).await;
        assert_eq!((status, text.contains("InvalidClientTokenId")), (403, true), "{text}");
    }
    let forged = Credentials { secret_access_key: "x".repeat(40), ..credentials.clone() };
    let (status, text) = who(&bench, &forged, Some(&token)).await;
    assert_eq!((status, text.contains("SignatureDoesNotMatch")), (403, true), "{text}");
    // The session survives a restart.
    let bench = bench.restart().await;
    assert_eq!(who(&bench, &credentials, Some(&token)).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_session_is_reported() {
    let bench = Bench::start().await;
    let role = role_of(&bench, "mine", "000000000000").await;
    let (credentials, token) = bench.session(&role).await;
    let (data, options) = bench.stop().await;
    let path = data.path().join("state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    state["sessions"][&credentials.access_key_id]["expires"] = json!(1);
    std::fs::write(path, state.to_string()).unwrap();
    let bench = Bench::again(data, options).await;
    let (status, text) = who(&bench, &credentials, Some(&token)).await;
    assert_eq!((status, text.contains("<Code>ExpiredToken</Code>")), (403, true), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_lets_in_whom_it_trusts() {
    let bench = Bench::start().await;
    let lambda = bench.role().await;
    let other = role_of(&bench, "theirs", "arn:aws:iam::111111111111:root").await;
    let mine = role_of(&bench, "mine", "*").await;
    let assume = async |role: &str, name: &str, seconds: &str| {
        let form = [("RoleArn", role), ("RoleSessionName", name), ("DurationSeconds", seconds)];
        bench.query("sts", "AssumeRole", &form).await
    };
    for role in [&lambda, &other, "arn:aws:iam::000000000000:role/none"] {
        let (status, text) = assume(role, "me", "900").await;
        assert_eq!((status, text.contains("<Code>AccessDenied</Code>")), (403, true), "{text}");
        assert!(text.contains(&format!("is not authorized to perform: sts:AssumeRole on resource: {role}")), "{text}");
    }
    // One hour is the maximum, unless the role allows more.
    for (name, seconds) in [("me", "899"), ("me", "43201"), ("me", "x"), ("a b", "900"), ("m", "900"), ("me", "3601")] {
        let (status, text) = assume(&mine, name, seconds).await;
        assert_eq!((status, text.contains("<Code>ValidationError</Code>")), (400, true), "{text}");
    }
    assert_eq!(assume(&mine, "me", "3600").await.0, 200);
    for arn in ["nothing-valid-in-here", "arn::b:::something/role", "arn:a:a::aaaaaaaaaa:"] {
        let (status, text) = assume(arn, "me", "900").await;
        assert!(status == 400 && text.contains(&format!("{arn} is invalid")), "{text}");
    }
    let tagged = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "web")];
    let twice = [("Tags.member.2.Key", "team"), ("Tags.member.2.Value", "api")];
    let transitive = [("TransitiveTagKeys.member.1", "cost"), ("DurationSeconds", "900")];
    for (more, why) in [(twice, "Duplicate tag keys found."), (transitive, "must be included in the requested tags.")] {
        let form = [&[("RoleArn", &*mine), ("RoleSessionName", "me")][..], &tagged, &more].concat();
        let (status, text) = bench.query("sts", "AssumeRole", &form).await;
        assert!(status == 400 && text.contains("<Code>InvalidParameterValue</Code>") && text.contains(why), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inline_policies_of_a_role_have_a_quota_that_white_space_does_not_use_up() {
    let bench = Bench::start().await;
    bench.role().await;
    let document = |length: usize, space: usize| {
        let begin = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":""#;
        let resource = "x".repeat(length - begin.len() - "\"}]}".len());
        format!("{begin}{resource}\"}}{}]}}", " ".repeat(space))
    };
    let put = async |name: &str, document: &str| {
        let fields = [("RoleName", "role"), ("PolicyName", name), ("PolicyDocument", document)];
        bench.query("iam", "PutRolePolicy", &fields).await
    };
    assert_eq!(put("a", &document(6000, 5000)).await.0, 200);
    assert_eq!(put("b", &document(4240, 0)).await.0, 200);
    let (status, text) = put("b", &document(4241, 0)).await;
    assert!(status == 409 && text.contains("<Code>LimitExceeded</Code>"), "{text}");
    assert!(text.contains("Maximum policy size of 10240 bytes exceeded for role role"), "{text}");
    // A policy that is replaced no longer counts.
    assert_eq!(put("a", &document(5999, 0)).await.0, 200);
    assert_eq!(put("b", &document(4241, 0)).await.0, 200);
}
