//! S3, Parameter Store and Secrets Manager, which lamstream calls without an SDK, and so does this file.

use super::{Fact, facts};
use crate::live::Live;
use crate::place::{Reply, Signature};
use crate::report::{Seen, seen};
use crate::sweep::{bucket, parameter, secret};
use anyhow::{Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(super) const FACTS: &[Fact] = facts! {
    Everywhere "bucket-twice" "CreateBucket of a bucket that you own answers BucketAlreadyOwnedByYou, in us-east-1 200" bucket_twice;
    Everywhere "bucket-tags-checksum" "PutBucketTagging without a checksum gets 400 InvalidRequest" tags_checksum;
    Everywhere "object-checksum" "A wrong checksum gets BadDigest" object_checksum;
    Everywhere "bucket-owner" "With another `x-amz-expected-bucket-owner` a call is refused" bucket_owner;
    OnlyOnAws "bucket-name-lag" "The name of a deleted bucket may answer 409 OperationAborted" bucket_name_lag;
    Everywhere "parameters-missing" "GetParameters returns the parameters that exist, and lists the others" parameters_missing;
    Everywhere "parameters-decryption" "A SecureString is returned in clear only with `WithDecryption`" parameters_decryption;
    Everywhere "parameters-selector" "A name may end in a version, which is returned as `Selector`" parameters_selector;
    Everywhere "parameters-ten" "GetParameters takes ten names, and no more" parameters_ten;
    Everywhere "secret-token" "CreateSecret without a ClientRequestToken gets InvalidRequestException" secret_token;
    Everywhere "secret-missing" "A missing secret gets ResourceNotFoundException, whose text is the member `Message`" secret_missing;
    OnlyOnAws "signature-echo" "The error for a wrong signature contains the request that AWS expected" signature_echo;
};

/// One request to the suite's own bucket, or to a key in it.
async fn s3(live: &Live<'_>, method: &str, rest: &str, headers: &[(&str, &str)], body: &str) -> Result<Reply> {
    let url = format!("{}{}{rest}", live.place.endpoint("s3"), bucket(live.place));
    live.place.signed(Signature::of("s3"), method, &url, headers, body.as_bytes()).await
}

/// Creates the bucket, where the region wants to be named.
async fn create(live: &Live<'_>) -> Result<Reply> {
    let region = &live.place.region;
    let body = match region.as_str() {
        "us-east-1" => String::new(),
        _ => format!(
            "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        ),
    };
    s3(live, "PUT", "", &[], &body).await
}

/// The text of an element.
fn element<'a>(reply: &'a Reply, name: &str) -> &'a str {
    let after = reply.body.split(&format!("<{name}>")).nth(1);
    after.and_then(|after| after.split('<').next()).unwrap_or_default()
}

fn shown(reply: &Reply) -> String {
    format!("{} {} \"{}\"", reply.status, element(reply, "Code"), element(reply, "Message"))
}

async fn bucket_twice(live: &Live<'_>) -> Result<Seen> {
    let first = create(live).await?;
    ensure!(first.status == 200, "the bucket cannot be created: {}", shown(&first));
    let second = create(live).await?;
    let expected = if live.place.region == "us-east-1" { "" } else { "BucketAlreadyOwnedByYou" };
    seen(element(&second, "Code") == expected, shown(&second))
}

async fn tags_checksum(live: &Live<'_>) -> Result<Seen> {
    let body = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
    let without = s3(live, "PUT", "?tagging", &[], body).await?;
    let checksum = STANDARD.encode(Sha256::digest(body));
    let with = s3(live, "PUT", "?tagging", &[("x-amz-checksum-sha256", &checksum)], body).await?;
    let holds = without.status == 400 && element(&without, "Code") == "InvalidRequest" && with.status < 300;
    seen(holds, format!("{}; with one: {}", shown(&without), with.status))
}

async fn object_checksum(live: &Live<'_>) -> Result<Seen> {
    let checksum = STANDARD.encode(Sha256::digest("another body"));
    let reply = s3(live, "PUT", "/object", &[("x-amz-checksum-sha256", &checksum)], "body").await?;
    seen(reply.status == 400 && element(&reply, "Code") == "BadDigest", shown(&reply))
}

async fn bucket_owner(live: &Live<'_>) -> Result<Seen> {
    let reply = s3(live, "GET", "?tagging", &[("x-amz-expected-bucket-owner", "123456789012")], "").await?;
    seen(reply.status == 403, shown(&reply))
}

async fn bucket_name_lag(live: &Live<'_>) -> Result<Seen> {
    let deleted = s3(live, "DELETE", "", &[], "").await?;
    ensure!(deleted.status == 204, "the bucket cannot be deleted: {}", shown(&deleted));
    let again = create(live).await?;
    // "May": both answers are possible, and any other is not.
    seen(again.status == 200 || element(&again, "Code") == "OperationAborted", shown(&again))
}

async fn ssm(live: &Live<'_>, operation: &str, body: Value) -> Result<(u16, Value)> {
    let reply = live.place.json(Signature::of("ssm"), &format!("AmazonSSM.{operation}"), &body).await?;
    let text = serde_json::from_str(&reply.body).unwrap_or(Value::Null);
    ensure!(!reply.body.contains("AccessDenied"), "not allowed: {}", reply.body);
    Ok((reply.status, text))
}

async fn parameters_missing(live: &Live<'_>) -> Result<Seen> {
    let (name, missing) = (parameter(live.place), format!("{}-missing", parameter(live.place)));
    let put = json!({ "Name": name, "Value": "only a probe", "Type": "SecureString", "Overwrite": true });
    let (status, said) = ssm(live, "PutParameter", put).await?;
    ensure!(status == 200, "the parameter cannot be written: {said}");
    let (status, said) =
        ssm(live, "GetParameters", json!({ "Names": [name, missing], "WithDecryption": true })).await?;
    let found = said["Parameters"].as_array().map_or(0, Vec::len);
    let holds = status == 200 && found == 1 && said["InvalidParameters"] == json!([missing]);
    seen(
        holds,
        format!("{found} found, InvalidParameters has the other: {}", said["InvalidParameters"] == json!([missing])),
    )
}

async fn parameters_decryption(live: &Live<'_>) -> Result<Seen> {
    let names = json!([parameter(live.place)]);
    let (_, with) = ssm(live, "GetParameters", json!({ "Names": names, "WithDecryption": true })).await?;
    let (_, without) = ssm(live, "GetParameters", json!({ "Names": names })).await?;
    let clear = |said: &Value| said["Parameters"][0]["Value"] == "only a probe";
    seen(clear(&with) && !clear(&without), format!("in clear: {} with, {} without", clear(&with), clear(&without)))
}

async fn parameters_selector(live: &Live<'_>) -> Result<Seen> {
    let name = parameter(live.place);
    let (_, said) = ssm(live, "GetParameters", json!({ "Names": [format!("{name}:1")] })).await?;
    let found = &said["Parameters"][0];
    seen(found["Selector"] == ":1" && found["Name"] == *name, format!("Selector {}", found["Selector"]))
}

async fn parameters_ten(live: &Live<'_>) -> Result<Seen> {
    let names: Vec<String> = (0..11).map(|nth| format!("{}-{nth}", parameter(live.place))).collect();
    let (status, said) = ssm(live, "GetParameters", json!({ "Names": names })).await?;
    let (ten, _) = ssm(live, "GetParameters", json!({ "Names": names[..10] })).await?;
    seen(status == 400 && ten == 200, format!("ten: {ten}, eleven: {status} {}", said["__type"]))
}

async fn secret_token(live: &Live<'_>) -> Result<Seen> {
    let body = json!({ "Name": secret(live.place), "SecretString": "only a probe" });
    let reply = live.place.json(Signature::of("secretsmanager"), "secretsmanager.CreateSecret", &body).await?;
    let words = "You must provide a ClientRequestToken value. We recommend a UUID-type value.";
    let holds = reply.status == 400 && reply.body.contains("InvalidRequestException") && reply.body.contains(words);
    seen(holds, format!("{} {}", reply.status, reply.body))
}

async fn secret_missing(live: &Live<'_>) -> Result<Seen> {
    let body = json!({ "SecretId": format!("{}-missing", secret(live.place)) });
    let reply = live.place.json(Signature::of("secretsmanager"), "secretsmanager.GetSecretValue", &body).await?;
    ensure!(!reply.body.contains("AccessDenied"), "not allowed: {}", reply.body);
    let said: Value = serde_json::from_str(&reply.body).unwrap_or(Value::Null);
    let holds = reply.status == 400 && reply.body.contains("ResourceNotFoundException") && said["Message"].is_string();
    seen(holds, format!("{} {}", reply.status, reply.body))
}

async fn signature_echo(live: &Live<'_>) -> Result<Seen> {
    let signature = Signature { is_wrong: true, ..Signature::of("ssm") };
    let reply = live.place.json(signature, "AmazonSSM.GetParameters", &json!({ "Names": ["a"] })).await?;
    let holds = reply.status == 400 && reply.body.contains("Canonical String for this request should have been");
    let start: String = reply.body.chars().take(160).collect();
    seen(holds, format!("{} {start}…", reply.status))
}
