//! A cloud on loopback that knows nothing but writes down who signed each call, and for what.

use super::proxy::{Call, read_request};
use std::io::Write;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

/// What one call's signature says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Signed {
    pub key: String,
    pub region: String,
    pub service: String,
}

pub(crate) struct Recorder {
    pub address: String,
    signed: Arc<Mutex<Vec<Signed>>>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    pub(crate) fn start() -> Recorder {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let recorder = Recorder { address: address.clone(), signed: Arc::default(), calls: Arc::default() };
        let (signed, calls) = (recorder.signed.clone(), recorder.calls.clone());
        thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                let (signed, calls, address) = (signed.clone(), calls.clone(), address.clone());
                thread::spawn(move || {
                    while let Some(call) = read_request(&mut client) {
                        signed.lock().expect("no panic").extend(signature(&call));
                        calls.lock().expect("no panic").push(call.name.clone());
                        if client.write_all(&answer(&call, &address)).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        recorder
    }

    /// The signatures since the last time, each once.
    pub(crate) fn take(&self) -> Vec<Signed> {
        let mut signed = std::mem::take(&mut *self.signed.lock().expect("no panic"));
        signed.sort();
        signed.dedup();
        signed
    }

    /// The names of the calls since the last time.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().expect("no panic"))
    }
}

/// From `Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`.
fn signature(call: &Call) -> Option<Signed> {
    let request = String::from_utf8_lossy(&call.request);
    let (_, rest) = request.split_once("Credential=")?;
    let parts: Vec<&str> = rest.split(',').next()?.split('/').collect();
    let [key, _, region, service, _] = parts[..] else { return None };
    Some(Signed { key: key.to_owned(), region: region.to_owned(), service: service.to_owned() })
}

fn answer(call: &Call, address: &str) -> Vec<u8> {
    let role = |action: &str, key: &str| {
        (
            200,
            format!(
                "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
                 <AssumedRoleUser><AssumedRoleId>A:b</AssumedRoleId>\
                 <Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn></AssumedRoleUser>\
                 <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
                 <SessionToken>token</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>\
                 </{action}Result></{action}Response>"
            ),
        )
    };
    let (status, body) = match call.name.as_str() {
        "AssumeRole" => role("AssumeRole", "KEYASSUMED"),
        "AssumeRoleWithWebIdentity" => role("AssumeRoleWithWebIdentity", "KEYWEB"),
        "GetCallerIdentity" => (
            200,
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
                .to_owned(),
        ),
        "ListRoles" => (
            200,
            "<ListRolesResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ListRolesResult><Roles/>\
             <IsTruncated>false</IsTruncated></ListRolesResult></ListRolesResponse>"
                .to_owned(),
        ),
        "GetParameters" => (200, r#"{"Parameters":[{"Name":"/shop/a","Value":"value"}]}"#.to_owned()),
        "GetSecretValue" => (200, r#"{"SecretString":"value"}"#.to_owned()),
        "DescribeLogGroups" => (200, r#"{"logGroups":[]}"#.to_owned()),
        "GET /container" => (
            200,
            r#"{"AccessKeyId":"KEYCONTAINER","SecretAccessKey":"s","Token":"t","Expiration":"2100-01-01T00:00:00Z"}"#
                .to_owned(),
        ),
        name if name.starts_with("GET /federation/credentials") => (
            200,
            r#"{"roleCredentials":{"accessKeyId":"KEYSSO","secretAccessKey":"s","sessionToken":"t","expiration":4102444800000}}"#
                .to_owned(),
        ),
        "GET /ask/" => (200, "answered".to_owned()),
        name if name.starts_with("GET /2015-03-31/functions/?") || name == "GET /2015-03-31/functions" => {
            (200, r#"{"Functions":[]}"#.to_owned())
        }
        name if name.contains("/url") => (
            200,
            format!(
                r#"{{"FunctionUrl":"{address}/ask/","AuthType":"AWS_IAM","InvokeMode":"RESPONSE_STREAM",
                   "FunctionArn":"a","CreationTime":"c","LastModifiedTime":"l"}}"#
            ),
        ),
        name if name.contains("tagging") => (404, "<Error><Code>NoSuchBucket</Code></Error>".to_owned()),
        name if name.starts_with("GET ") || name.ends_with("ForResource") => {
            (404, r#"{"__type":"ResourceNotFoundException","message":"nothing"}"#.to_owned())
        }
        _ => (
            404,
            "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>nothing</Message></Error></ErrorResponse>"
                .to_owned(),
        ),
    };
    let code = if status == 404 { "x-amzn-errortype: ResourceNotFoundException\r\n" } else { "" };
    format!("HTTP/1.1 {status} x\r\n{code}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
