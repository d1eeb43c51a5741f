//! Secret values are planted everywhere, and looked for in all output and in all files that are left behind.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::aws::Keys;
use crate::support::bench::{Bench, function_zip, moody_zip, said};
use crate::support::proxy::{Call, read_request};
use serde_json::json;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// Every planted value begins with this, and nothing else does.
const MARK: &str = "zq7-";

/// Of every kind of place one; two of the values are such as JSON, shells and terminals treat in their own ways.
const MANIFEST: &str = r#"
app = "shop"
[functions.chat]
crate = "unused"
url = { auth = "none" }
[functions.chat.environment]
LITERAL = "zq7-literal-4711"
FROM_ENV = { env = "OUTER" }
FROM_FILE = { file = "token" }
FROM_SSM = { ssm = "/shop/token" }
FROM_SECRET = { secret = "shop/token" }
[functions.chat.check]
method = "POST"
path = "/stream/chat"
query = { query = "hello" }
headers = { authorization = "Bearer zq7-header-4711", x-outer = { env = "OUTER_HEADER" } }
body = "{\"key\": \"zq7-body-4711\"}"
streams = true
"#;

/// A function that answers 500 with all that it knows.
const BABBLER: &str = r#"#!/usr/bin/env python3
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as answer:
        number, event = answer.headers["lambda-runtime-aws-request-id"], json.loads(answer.read())
    known = [value for name, value in os.environ.items() if name.startswith(("LITERAL", "FROM_"))]
    known += [event["headers"].get("authorization", ""), event["headers"].get("x-outer", ""), event.get("body", "")]
    body = b'{"statusCode": 500, "headers": {}, "cookies": []}' + bytes(8) + " ".join(known).encode()
    headers = {
        "Content-Type": "application/vnd.awslambda.http-integration-response",
        "Lambda-Runtime-Function-Response-Mode": "streaming",
    }
    urllib.request.urlopen(urllib.request.Request(api + number + "/response", body, headers)).read()
"#;

/// A function that writes all that it knows to its log, and ends: when it starts, or when it is asked.
const WRITER: &str = r#"#!/usr/bin/env python3
import json, os, urllib.request
known = [value for name, value in os.environ.items() if name.startswith(("LITERAL", "FROM_"))]
if "MOMENT" == "WHEN_ASKED":
    api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
    with urllib.request.urlopen(api + "next") as answer:
        event = json.loads(answer.read())
    known += [event["headers"]["authorization"], event["headers"]["x-outer"], event["body"], json.dumps(event)]
for line in known:
    print("known:", line)
print("known:", *known, json.dumps(known), flush=True)
os._exit(3)
"#;

/// All that was said, and what must not be in it.
struct Watch {
    bench: Bench,
    keys: Keys,
    needles: Vec<String>,
    said: Vec<(String, String)>,
}

impl Watch {
    fn new() -> Watch {
        let bench = Bench::new(MANIFEST);
        bench.write("token", "zq7-file-4711\nzq7-second-line\n");
        // A role that has just been made is assumed here.
        bench.good(&["local", "start", "--role-propagation", "0s"]);
        let keys = Keys::of(&bench);
        let put = json!({ "Name": "/shop/token", "Value": "zq7-ssm-\"4711\"", "Type": "SecureString" });
        keys.json("AmazonSSM.PutParameter", &put);
        let token = "0123456789abcdef0123456789abcdef";
        let secret = json!({ "Name": "shop/token", "SecretString": "zq7-secret-4711", "ClientRequestToken": token });
        keys.json("secretsmanager.CreateSecret", &secret);
        let needles = vec![MARK.to_owned(), keys.secret.clone()];
        Watch { bench, keys, needles, said: Vec::new() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bench.command(arguments);
        command.env("OUTER", "zq7-env-4711").env("OUTER_HEADER", "zq7-outer-header-4711");
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").env("LOG_SENSITIVE_BODIES", "true");
        command.env("TMPDIR", self.bench.path("tmp")).env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    /// Runs it with one kind of output; gives the exit code and what was said.
    fn once(&mut self, output: &str, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
        let mut command = self.command(&[arguments, &["--output", output, "-v"]].concat());
        let output = command.envs(variables.iter().copied()).output().unwrap();
        self.said.push((format!("{arguments:?}"), said(&output)));
        (output.status.code(), said(&output))
    }

    /// Runs it in text and as JSON; gives the exit codes and what was said.
    fn run(&mut self, arguments: &[&str], variables: &[(&str, &str)]) -> (Vec<Option<i32>>, String) {
        let runs = ["text", "json"].map(|output| self.once(output, arguments, variables));
        (runs.iter().map(|(code, _)| *code).collect(), runs.map(|(_, said)| said).concat())
    }

    fn expect(&mut self, code: i32, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let (codes, all) = self.run(arguments, variables);
        assert_eq!(codes, [Some(code), Some(code)], "{arguments:?}: {all}");
        all
    }

    /// Nothing was said, and nothing but the local cloud's own data holds a value.
    fn judge(&self) {
        for (what, said) in &self.said {
            for needle in &self.needles {
                assert!(!said.contains(needle.as_str()), "{what} says `{needle}`:\n{said}");
            }
        }
        let root = self.bench.directory.path();
        let sources = [root.join("deploy.toml"), root.join("token")];
        for file in files(root) {
            if file.starts_with(self.bench.data()) || sources.contains(&file) {
                continue;
            }
            let bytes = std::fs::read(&file).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!self.needles.iter().any(|needle| text.contains(needle)), "{} holds a value", file.display());
        }
    }
}

/// All files below a directory.
fn files(root: &Path) -> Vec<std::path::PathBuf> {
    let (mut files, mut open) = (Vec::new(), vec![root.to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                open.push(entry.path())
            } else if kind.is_file() {
                files.push(entry.path())
            }
        }
    }
    files
}

fn package() -> String {
    format!("--package={}", function_zip().display())
}

/// A zip with such a program in it.
fn zip_of(bench: &Bench, program: &str) -> String {
    let path = bench.path("babbler.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    zip.start_file("bootstrap", options).unwrap();
    zip.write_all(program.as_bytes()).unwrap();
    zip.finish().unwrap();
    format!("--package={}", path.display())
}

#[test]
fn what_goes_well_shows_no_value() {
    let mut watch = Watch::new();
    let package = package();
    watch.expect(0, &["plan", "--local", &package], &[]);
    let told = watch.expect(0, &["deploy", "--local", "--yes", &package], &[]);
    assert!(told.contains("authorization: …") && told.contains("--data-raw '…'"), "the check is shown: {told}");
    for arguments in [&["status", "--local"][..], &["url", "--local"], &["plan", "--local", &package]] {
        watch.expect(0, arguments, &[]);
    }
    watch.bench.write("token", "zq7-file-changed");
    let planned = watch.expect(0, &["plan", "--local", &package], &[]);
    assert!(planned.contains("environment.FROM_FILE changed"), "{planned}");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy.toml");
    watch.expect(0, &["build", "--local", "--manifest", manifest, "--out", "out"], &[]);
    watch.expect(0, &["destroy", "--local", "--yes"], &[]);
    watch.judge();
}

#[test]
fn what_fails_before_anything_is_touched_shows_no_value() {
    let mut watch = Watch::new();
    let package = package();
    watch.expect(2, &["plan", "--local"], &[("OUTER", "")]);
    watch.expect(2, &["plan", "--local"], &[("OUTER_HEADER", "zq7-two\nlines")]);
    watch.expect(1, &["build", "--local"], &[]);
    watch.expect(1, &["deploy", "--local", "--yes"], &[]);
    for broken in [
        MANIFEST.replace("zq7-literal-4711", &format!("{MARK}{}", "x".repeat(4100))),
        MANIFEST.replace("env = \"OUTER\"", "envv = \"zq7-by-mistake\""),
        MANIFEST.replace("env = \"OUTER\"", "env = \"zq7-by=mistake\""),
        MANIFEST.replace("streams = true", "streams = "),
        MANIFEST.replace("method = \"POST\"", "method = \"zq7\", "),
        MANIFEST.replace("ssm = \"/shop/token\"", "ssm = \"/nowhere\""),
    ] {
        watch.bench.write("deploy.toml", &broken);
        let (codes, all) = watch.run(&["deploy", "--local", "--yes", &package], &[]);
        assert!(!codes.contains(&Some(0)), "{all}");
    }
    watch.bench.write("deploy.toml", MANIFEST);
    // More than 4096 bytes only with what comes from outside.
    let long = format!("{MARK}{}", "x".repeat(4090));
    let told = watch.expect(2, &["deploy", "--local", "--yes", &package], &[("OUTER", &long)]);
    assert!(told.contains("bytes as JSON"), "{told}");
    watch.judge();
}

#[test]
fn a_function_that_tells_all_it_knows_is_not_quoted() {
    let mut watch = Watch::new();
    let package = zip_of(&watch.bench, BABBLER);
    // A function is given a body in base64.
    watch.needles.push("eyJrZXki".to_owned());
    for output in ["text", "json"] {
        let (code, told) = watch.once(output, &["deploy", "--local", "--yes", &package], &[]);
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("the function returned status 500: `[hidden]"), "{told}");
        watch.expect(0, &["destroy", "--local", "--yes"], &[]);
    }
    watch.judge();
}

/// What it wrote is shown if a version is refused traffic, except for secrets.
#[test]
fn a_version_that_writes_all_it_knows_to_its_log_is_not_quoted() {
    let mut watch = Watch::new();
    let good = package();
    watch.expect(0, &["deploy", "--local", "--yes", &good], &[]);
    for (moment, words) in [("AT_START", "fails to start"), ("WHEN_ASKED", "fails before it answers")] {
        let bad = zip_of(&watch.bench, &WRITER.replace("MOMENT", moment));
        for more in [&["--yes"][..], &["--yes", "--shift", "10"]] {
            let told = watch.expect(1, &[&["deploy", "--local", &bad], more].concat(), &[]);
            assert!(told.contains(words) && told.contains("known: [hidden]"), "{told}");
        }
        watch.expect(0, &["deploy", "--local", "--yes", "--no-verify", &bad], &[]);
        let (document, _) = watch.bench.json(&["releases", "--local"]);
        let newest = document["functions"][0]["releases"][0]["version"].as_str().expect("a version").to_owned();
        let told = watch.expect(1, &["verify", "--local", "--version", &newest], &[]);
        assert!(told.contains(words) && told.contains("known: [hidden]"), "{told}");
        watch.expect(0, &["deploy", "--local", "--yes", &good], &[]);
        let told = watch.expect(1, &["rollback", "--local", "--yes"], &[]);
        assert!(told.contains(words) && told.contains("known: [hidden]"), "{told}");
        // The log itself is the function's own words; what is said beside it is ours.
        let output = watch.command(&["logs", "chat", "--local", "-v"]).output().unwrap();
        assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains(MARK), "{}", said(&output));
        watch.said.push(("logs".to_owned(), String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    watch.judge();
}

#[test]
fn releases_and_requests_show_no_value() {
    let mut watch = Watch::new();
    let package = package();
    let deploy = ["deploy", "--local", "--yes", &package];
    watch.expect(1, &["logs", "chat", "--local"], &[]);
    watch.expect(0, &deploy, &[]);
    for (text, end) in [("zq7-file-second", "promote"), ("zq7-file-third", "abort")] {
        watch.bench.write("token", text);
        watch.expect(0, &[&deploy[..], &["--shift", "10"]].concat(), &[]);
        watch.expect(0, &["status", "--local"], &[]);
        watch.expect(0, &[end, "--local"], &[]);
    }
    for arguments in [&["releases", "--local"][..], &["rollback", "--local", "--yes"], &["logs", "chat", "--local"]] {
        watch.expect(0, arguments, &[]);
    }
    watch.expect(1, &["rollback", "--local", "--yes", "--to", "99"], &[]);
    let invoke = ["invoke", "chat", "--local", "/stream/chat?query=hello", "-d", "zq7-body"];
    watch.expect(0, &[&invoke[..], &["-H", "authorization: Bearer zq7-header"]].concat(), &[]);
    watch.expect(2, &[&invoke[..], &["-H", "authorization Bearer zq7-header"]].concat(), &[]);
    watch.expect(1, &["invoke", "chat", "--local", "/nowhere", "-H", "authorization: Bearer zq7-header"], &[]);
    watch.judge();
}

/// The credentials of a session, and some that open nothing.
#[test]
fn credentials_are_shown_by_nothing() {
    let mut watch = Watch::new();
    let trust = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A\
                 %7B%22AWS%22%3A%22arn%3Aaws%3Aiam%3A%3A000000000000%3Aroot%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
    let role = format!("Action=CreateRole&Version=2010-05-08&RoleName=visitor&AssumeRolePolicyDocument={trust}");
    watch.keys.query("iam", &role);
    let assume = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=visit&\
                  RoleArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Fvisitor";
    let answer = watch.keys.query("sts", assume);
    let element = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name}: {answer}"));
        rest.split('<').next().unwrap().to_owned()
    };
    let [id, secret, token] = ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(element);
    watch.needles.extend([secret.clone(), token.clone()]);
    let echo = Echo::before(&watch.keys.endpoint);
    let (endpoint, package) = (echo.address.clone(), package());
    let region = watch.keys.region.clone();
    let session = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_REGION", region.as_str()),
        ("AWS_ACCESS_KEY_ID", id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", secret.as_str()),
        ("AWS_SESSION_TOKEN", token.as_str()),
    ];
    watch.expect(0, &["deploy", "--yes", &package], &session);
    // AWS shows the request that it has expected, with the token among its headers.
    for call in ["GetCallerIdentity", "GetParameters", "GetSecretValue", "GetRole"] {
        echo.refuse(call);
        let told = watch.expect_failure(&["plan", &package], &session);
        assert!(told.contains("[hidden]"), "{call}: {told}");
    }
    let mut wrong = session.to_vec();
    wrong.extend([
        ("AWS_ACCESS_KEY_ID", "zq7-id"),
        ("AWS_SECRET_ACCESS_KEY", "zq7-key"),
        ("AWS_SESSION_TOKEN", "zq7-token"),
    ]);
    watch.expect_failure(&["plan", &package], &wrong);
    watch.expect(0, &["plan", "--local", &package], &wrong);
    watch.judge();
}

/// The errors of an AWS that repeats what it was sent: functions, their updates, versions, aliases, and secrets.
#[test]
fn an_aws_that_repeats_everything_is_not_quoted() {
    let mut watch = Watch::new();
    let echo = Echo::before(&watch.keys.endpoint);
    let (endpoint, package) = (echo.address.clone(), package());
    let keys = watch.keys.clone();
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_REGION", keys.region.as_str()),
        ("AWS_ACCESS_KEY_ID", keys.id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", keys.secret.as_str()),
    ];
    let deploy = ["deploy", "--yes", package.as_str()];
    echo.refuse("POST /2015-03-31/functions");
    let told = watch.expect(1, &deploy, &variables);
    assert!(told.contains("InvalidParameterValueException") && told.contains("[hidden]"), "{told}");
    echo.refuse("nothing");
    watch.expect(0, &deploy, &variables);
    watch.bench.write("token", "zq7-file-changed");
    echo.refuse("PUT /2015-03-31/functions/shop-chat/configuration");
    let told = watch.expect(1, &deploy, &variables);
    assert!(told.contains("[hidden]"), "{told}");
    // The event of a trial holds all that the check sends.
    watch.needles.push("eyJrZXki".to_owned());
    echo.refuse("POST /2021-11-15/functions/shop-chat/response-streaming-invocations?Qualifier=2");
    let told = watch.expect(1, &deploy, &variables);
    assert!(told.contains("[hidden]"), "{told}");
    for arguments in [&["destroy", "--yes"][..], &["url"]] {
        echo.refuse("GET /2021-10-31/functions/shop-chat/url?Qualifier=live");
        watch.run(arguments, &variables);
    }
    watch.judge();
}

/// What is short is hidden where AWS repeats the environment, and nowhere else; what is long is hidden in every spelling.
#[test]
fn an_error_stays_readable_and_shows_no_value() {
    let pem = "-----BEGIN KEY-----\\nzq7-first+/line==\\nzq7-second-line\\n-----END KEY-----";
    let environment = format!(
        "environment = {{ DEBUG = \"1\", LEVEL = \"e\", MODE = \"function\", REGION = \"us-east-1\", NAME = \"shop-chat\", PIN = \"1234\", \
         WORD = \"hunter\", URL = \"https://me:zq7-é&pass@host/?a=b c\", PEM = \"{pem}\" }}\n"
    );
    let mut watch = Watch::new();
    watch.bench.write("deploy.toml", &format!("{}{environment}", crate::CHAT));
    let echo = Echo::before(&watch.keys.endpoint);
    let (endpoint, keys, package) = (echo.address.clone(), watch.keys.clone(), package());
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_REGION", keys.region.as_str()),
        ("AWS_ACCESS_KEY_ID", keys.id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", keys.secret.as_str()),
    ];
    echo.refuse("POST /2015-03-31/functions");
    watch.needles.extend(["hunter", "pass@host"].map(str::to_owned));
    let deploy = ["deploy", "--yes", package.as_str()];
    for output in ["text", "json"] {
        let (code, told) = watch.once(output, &deploy, &variables);
        assert_eq!(code, Some(1), "{told}");
        for readable in
            ["String measured: POST /2015-03-31/functions HTTP/1.1", "/us-east-1/lambda/aws4_request", "shop-chat"]
        {
            assert!(told.contains(readable), "{readable}: {told}");
        }
        let plain = told.replace('\\', "");
        for hidden in
            ["\"DEBUG\":\"[hidden]\"", "\"LEVEL\":\"[hidden]\"", "\"PIN\":\"[hidden]\"", "\"WORD\":\"[hidden]\""]
        {
            assert!(plain.contains(hidden), "{hidden}: {told}");
        }
    }
    watch.judge();
}

/// Environments, parameters, secrets and keys all lie there.
#[test]
fn the_local_clouds_state_is_its_owners_alone() {
    let mut watch = Watch::new();
    let package = zip_of(&watch.bench, BABBLER);
    assert_eq!(watch.once("text", &["deploy", "--local", "--yes", &package], &[]).0, Some(1));
    let data = watch.bench.data();
    let holds = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).contains(MARK);
    assert!(files(&data).iter().any(|file| holds(file)), "the values are there");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let mut open = vec![data.clone()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() {
                assert_eq!(mode(&path), 0o700, "{}", path.display());
                // What was uploaded has the modes of its zip, in directories that are closed.
                open.extend(["code", "files"].iter().all(|of| path != data.join(of)).then_some(path));
            } else if kind.is_file() {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
            }
        }
    }
}

impl Watch {
    fn expect_failure(&mut self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let (codes, all) = self.run(arguments, variables);
        assert!(codes.iter().all(|code| matches!(code, Some(1 | 2))), "{arguments:?}: {all}");
        all
    }
}

/// A proxy in front of a cloud, and refuses one call with all that came with it: headers and body.
struct Echo {
    address: String,
    refused: Arc<Mutex<String>>,
}

impl Echo {
    fn before(endpoint: &str) -> Echo {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let echo = Echo { address: format!("http://{}", listener.local_addr().unwrap()), refused: Arc::default() };
        let (upstream, refused) = (endpoint.trim_start_matches("http://").to_owned(), echo.refused.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (upstream, refused) = (upstream.clone(), refused.clone());
                std::thread::spawn(move || serve(client, &upstream, &refused));
            }
        });
        echo
    }

    fn refuse(&self, call: &str) {
        *self.refused.lock().unwrap() = call.to_owned();
    }
}

fn serve(mut client: TcpStream, upstream: &str, refused: &Mutex<String>) {
    let mut server = TcpStream::connect(upstream).unwrap();
    while let Some(Call { name, request, .. }) = read_request(&mut client) {
        let call = name.trim_end_matches('/');
        let done = if *refused.lock().unwrap() == call {
            client.write_all(&refusal(call, &request)).ok()
        } else {
            server.write_all(&request).unwrap();
            pass_on(&mut server, &mut client)
        };
        if done.is_none() {
            return;
        }
    }
}

fn refusal(call: &str, request: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(request);
    let (kind, body) = if ["GetCallerIdentity", "GetRole"].contains(&call) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let error =
            format!("<Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>expected: '{text}'</Message>");
        ("text/xml", format!("<ErrorResponse><Error>{error}</Error><RequestId>1</RequestId></ErrorResponse>"))
    } else {
        let code = "InvalidParameterValueException";
        ("application/json", json!({ "__type": code, "message": format!("String measured: {text}") }).to_string())
    };
    let head = format!("HTTP/1.1 400 Bad Request\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n", body.len());
    let error = "x-amzn-errortype: InvalidParameterValueException\r\n";
    format!("{head}{}\r\n{body}", if kind == "text/xml" { "" } else { error }).into_bytes()
}

/// Hands on one answer as it comes: with a `Content-Length`, in chunks, or without a body.
fn pass_on(server: &mut TcpStream, client: &mut TcpStream) -> Option<()> {
    let (mut answer, mut buffer) = (Vec::new(), [0; 64 * 1024]);
    loop {
        let read = server.read(&mut buffer).ok().filter(|read| *read > 0)?;
        client.write_all(&buffer[..read]).ok()?;
        answer.extend_from_slice(&buffer[..read]);
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4) else { continue };
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        let in_chunks = head.contains("transfer-encoding: chunked");
        let is_whole = if in_chunks { answer.ends_with(b"\r\n0\r\n\r\n") } else { answer.len() >= end + length };
        if is_whole {
            return Some(());
        }
    }
}

/// Messages are full of names, also of those that only the account and the region make.
#[test]
fn a_value_that_is_a_name_is_no_secret() {
    for name in ["lamstream-us-east-1-shop-chat", "000000000000", "us-east-1", "/aws/lambda/shop-chat"] {
        let bench = Bench::new(&format!(
            "app = 'shop'\n[functions.chat]\ncrate = 'unused'\ntimeout = 2\nurl = {{ auth = 'none' }}\n\
             environment = {{ RELEASE = '{name}', MOOD = 'broken' }}\n"
        ));
        let output = bench.run(&["deploy", "--local", &format!("--package={}", moody_zip().display())]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains(&format!("status 500: `release {name}`")), "{errors}");
    }
}
