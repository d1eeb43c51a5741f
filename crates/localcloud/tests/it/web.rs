//! Web apps behind the real Lambda Web Adapter, unknown extensions, and layers.

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Bench, example, package, wait_until};

pub(crate) const ADAPTER: &str = "arn:aws:lambda:us-east-1:753240598075:layer:LambdaAdapterLayerX86:27";
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

/// A zip of executable files, in base64.
fn zipped(files: &[(&str, &[u8])]) -> String {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    STANDARD.encode(writer.finish().unwrap().into_inner())
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(FIXTURES).join(name)).unwrap()
}

/// The files of a function that runs `app.py`.
pub(crate) fn app(environment: Value) -> Value {
    let mut variables = json!({
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap", "AWS_LWA_INVOKE_MODE": "response_stream",
        "PORT": free_port().to_string(),
    });
    variables.as_object_mut().unwrap().extend(environment.as_object().unwrap().clone());
    let run = b"#!/bin/sh\nexec python app.py\n";
    json!({
        "Runtime": "python3.13", "Handler": "run.sh", "Layers": [ADAPTER], "Environment": {"Variables": variables},
        "Code": {"ZipFile": zipped(&[("run.sh", run), ("app.py", &fixture("app.py"))])},
    })
}

async fn publish(bench: &Bench, name: &str, files: &[(&str, &[u8])]) -> String {
    let input = json!({"Content": {"ZipFile": zipped(files)}, "CompatibleRuntimes": ["provided.al2023"]});
    let path = format!("/2018-10-31/layers/{name}/versions");
    bench.done(Method::POST, &path, input).await["LayerVersionArn"].as_str().unwrap().to_owned()
}

pub(crate) async fn web(change: impl FnOnce(&mut localcloud::Options)) -> Bench {
    Bench::with(|options| {
        // The first one that exists is used.
        options.adapters = vec!["/nowhere/lambda-adapter".into(), example("lambda-adapter")];
        change(options);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_streams_through_the_real_adapter() {
    let bench = web(|_| {}).await;
    let url = bench.public("RESPONSE_STREAM", app(json!({}))).await;
    let gate = bench.sign_post("gate");
    let answer = bench.http.get(format!("{url}gated?gate={}", gate.display())).send().await.unwrap();
    let mut body = answer.bytes_stream();
    // The second part is only produced after the first one has arrived.
    assert_eq!(body.next().await.unwrap().unwrap(), "first");
    File::create(&gate).unwrap();
    let rest: Vec<_> = body.map(Result::unwrap).collect().await;
    assert_eq!(rest.concat(), b"second");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buffered_url_keeps_its_limit() {
    let bench = web(|_| {}).await;
    let url = bench.public("BUFFERED", app(json!({"AWS_LWA_INVOKE_MODE": "buffered"}))).await;
    assert!(bench.http.get(&url).send().await.unwrap().status().is_success());
    assert_eq!(bench.http.get(format!("{url}large")).send().await.unwrap().status(), 502);
    // So does InvokeWithResponseStream, by which versions are tested.
    let stream = format!("{}/2021-11-15/functions/f:live/response-streaming-invocations", bench.address);
    let event = json!({"version": "2.0", "rawPath": "/large", "requestContext": {"http": {"method": "GET"}}});
    let answer = bench.signed("lambda", Method::POST, &stream, &[], event.to_string().into_bytes()).await;
    let frames = String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned();
    assert!(frames.len() < 10_000 && frames.contains("Function.ResponseSizeTooLarge"), "{} bytes", frames.len());
    bench.wait_for_note("its answer is larger than 6291556 bytes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_instance_has_a_port_of_its_own() {
    let bench = web(|_| {}).await;
    let url = bench.public("RESPONSE_STREAM", app(json!({}))).await;
    let gate = bench.sign_post("gate");
    let held = bench.http.get(format!("{url}gated?gate={}", gate.display())).send().await.unwrap();
    let mut held = held.bytes_stream();
    assert_eq!(held.next().await.unwrap().unwrap(), "first");
    // The first instance is busy, so that this is another one.
    let port = bench.http.get(&url).send().await.unwrap().text().await.unwrap();
    File::create(&gate).unwrap();
    assert_eq!(held.next().await.unwrap().unwrap(), "second");
    bench.wait_for_note(&format!("this instance has PORT={port}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_crashes_at_its_start_is_reported_with_its_last_lines() {
    let bench = web(|_| {}).await;
    bench.function(app(json!({"MOOD": "crash"}))).await;
    let answer = bench.invoke("live", json!({})).await;
    let tail = STANDARD.decode(answer.headers()["x-amz-log-result"].as_bytes()).unwrap();
    let (tail, text) = (String::from_utf8(tail).unwrap(), answer.text().await.unwrap());
    assert!(text.contains("Runtime.ExitError") && text.contains("exit status 3"), "{text}");
    assert!(tail.contains("no DATABASE_URL"), "{tail}");
    // The client gets the reason too.
    let url = bench.url(json!({"AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM"})).await;
    let answer = bench.http.get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    let told: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(told["Message"], "Internal Server Error");
    assert!(told["LocalCloud"].as_str().unwrap().contains("no DATABASE_URL"), "{told}");
}

/// An unused port.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// An unused port below those that the system chooses for other sockets.
fn quiet_port() -> u16 {
    let start = u16::try_from(std::process::id() % 4000).unwrap();
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (3000 + start..8000).find(is_free).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_knows_one_port_has_one_instance_after_the_other() {
    let bench = web(|_| {}).await;
    let port = free_port().to_string();
    let stubborn = |more: &str| app(json!({"MOOD": "stubborn", "PORT": port, "LISTENS_ON": port, "MORE": more}));
    let url = bench.public("RESPONSE_STREAM", stubborn("")).await;
    let gate = bench.sign_post("gate");
    let held = bench.http.get(format!("{url}gated?gate={}", gate.display())).send().await.unwrap();
    let mut held = held.bytes_stream();
    assert_eq!(held.next().await.unwrap().unwrap(), "first");
    let waiting = tokio::spawn(bench.http.get(&url).send());
    bench.wait_for_note("it is started again, on the port that it asks for").await;
    File::create(&gate).unwrap();
    assert_eq!(held.next().await.unwrap().unwrap(), "second");
    drop(held);
    assert_eq!(waiting.await.unwrap().unwrap().text().await.unwrap(), port);
    // An instance has reported when it is idle.
    let reports = json!({"logGroupName": "/aws/lambda/f", "filterPattern": "\"REPORT RequestId\""});
    while bench.logs("FilterLogEvents", reports.clone()).await.1["events"].as_array().is_none_or(|all| all.len() < 2) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Another version gets the port, although an instance of the previous one is idle there.
    let variables = stubborn("2")["Environment"].clone();
    bench.done(Method::PUT, "/2015-03-31/functions/f/configuration", json!({"Environment": variables})).await;
    bench.done(Method::POST, "/2015-03-31/functions/f/versions", json!({})).await;
    bench.done(Method::PUT, "/2015-03-31/functions/f/aliases/live", json!({"FunctionVersion": "2"})).await;
    assert_eq!(bench.http.get(&url).send().await.unwrap().text().await.unwrap(), port);
    assert_eq!(bench.notes().matches("it is started again").count(), 1, "{}", bench.notes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_took_too_long_is_retried_once() {
    let bench = web(|options| options.init_timeout = Duration::from_secs(2)).await;
    let mark = bench.sign_post("mark");
    let url = bench.public("RESPONSE_STREAM", app(json!({"MOOD": "slow", "MARK": mark}))).await;
    assert_eq!(bench.http.get(&url).send().await.unwrap().status(), 200);
    bench.wait_for_note("it is started again, with the time limit of an invocation").await;
}

/// Its port is not free before the first start has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_app_that_knows_one_port_gets_it_again() {
    let bench = web(|options| options.init_timeout = Duration::from_secs(2)).await;
    let (mark, port) = (bench.sign_post("mark"), free_port().to_string());
    let moods = json!({"MOOD": "slow stubborn", "MARK": mark, "PORT": port, "LISTENS_ON": port});
    let url = bench.public("RESPONSE_STREAM", app(moods)).await;
    assert_eq!(bench.http.get(&url).send().await.unwrap().text().await.unwrap(), port);
    assert!(!bench.notes().contains("this instance has PORT="), "{}", bench.notes());
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_handed_over_reach_the_function_and_no_file() {
    let bench = web(|_| {}).await;
    let url = bench.public("RESPONSE_STREAM", app(json!({}))).await;
    let get = async |name: &str| {
        let answer = bench.http.get(format!("{url}variable?name={name}")).send().await.unwrap();
        answer.text().await.unwrap()
    };
    assert_eq!(get("AWS_ACCESS_KEY_ID").await, "ASIALOCALFUNCTION");
    let path = "/2015-03-31/functions/f/local-credentials";
    let mine = json!({"AccessKeyId": "AKIAPLANTED", "SecretAccessKey": "planted-4711"});
    bench.done(Method::PUT, path, mine.clone()).await;
    // The idle instance with the other credentials has ended.
    assert_eq!(get("AWS_ACCESS_KEY_ID").await, "AKIAPLANTED");
    assert_eq!(
        (get("AWS_SECRET_ACCESS_KEY").await, get("AWS_SESSION_TOKEN").await),
        ("planted-4711".into(), "".into())
    );
    bench.done(Method::DELETE, path, json!({})).await;
    assert_eq!(get("AWS_ACCESS_KEY_ID").await, "ASIALOCALFUNCTION");
    bench.done(Method::PUT, path, mine).await;
    assert_eq!(get("AWS_ACCESS_KEY_ID").await, "AKIAPLANTED");
    for entry in walk(bench.data.path()) {
        let bytes = std::fs::read(&entry).unwrap_or_default();
        assert!(!bytes.windows(12).any(|part| part == b"planted-4711"), "{}", entry.display());
    }
}

/// All files below a directory.
fn walk(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() && !path.is_symlink() { walk(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_may_clean_up_at_its_end() {
    let bench = web(|_| {}).await;
    let mark = bench.data.path().join("mark");
    let url = bench.public("RESPONSE_STREAM", app(json!({"MOOD": "polite", "MARK": mark}))).await;
    assert_eq!(bench.http.get(&url).send().await.unwrap().status(), 200);
    let (_data, _) = bench.stop().await;
    assert!(mark.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_listens_elsewhere_is_waited_for_and_told_with_its_last_lines() {
    let bench = web(|options| options.init_timeout = Duration::from_secs(3)).await;
    // The system gives no other socket this port while nothing listens on it.
    let mut elsewhere = app(json!({"MOOD": "elsewhere", "PORT": quiet_port().to_string()}));
    elsewhere["Timeout"] = json!(4);
    bench.function(elsewhere).await;
    let answer = bench.invoke("live", json!({})).await;
    let tail = STANDARD.decode(answer.headers()["x-amz-log-result"].as_bytes()).unwrap();
    let (tail, text) = (String::from_utf8(tail).unwrap(), answer.text().await.unwrap());
    assert!(text.contains("Init timed out after 4.00 seconds"), "{text}");
    assert!(tail.contains("starting 3.") && tail.contains("app is not ready"), "{tail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_with_a_language_needs_a_wrapper_and_an_adapter_its_program() {
    let bench = Bench::start().await;
    let input = json!({"Runtime": "python3.13", "Handler": "main.handler"});
    bench.function(input).await;
    let text = bench.invoke("live", json!({})).await.text().await.unwrap();
    assert!(text.contains("it can only run a wrapper script (AWS_LAMBDA_EXEC_WRAPPER)"), "{text}");
    let change = json!({"Layers": [ADAPTER]});
    let (status, error) = bench.lambda(Method::PUT, "/2015-03-31/functions/f/configuration", change).await;
    assert_eq!((status, error["code"].as_str()), (400, Some("LocalAdapterNotFound")));
    assert!(error["message"].as_str().unwrap().contains("Lambda Web Adapter is not installed here"), "{error}");
}

/// The events that `extension.py` has recorded.
fn events(watch: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(watch).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn watched(bench: &Bench, mood: &str) -> PathBuf {
    let watch = bench.data.path().join("events");
    let extension = publish(bench, "watcher", &[("extensions/watcher", &fixture("extension.py"))]).await;
    let variables = json!({"WATCH": watch, "MOOD": mood});
    let more = json!({"Layers": [extension], "Environment": {"Variables": variables}, "Code": {"ZipFile": package()}});
    bench.function(more).await;
    watch
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_gets_every_invocation_and_the_end() {
    let bench = Bench::start().await;
    let watch = watched(&bench, "").await;
    let first = bench.invoked("live", json!({"path": "/whoami"})).await;
    let second = bench.invoked("live", json!({"path": "/whoami"})).await;
    assert_eq!(first["pid"], second["pid"]);
    let (data, _) = bench.stop().await;
    let events = events(&watch);
    drop(data);
    let kinds: Vec<&str> = events.iter().map(|event| event["eventType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["REGISTERED", "INVOKE", "INVOKE", "SHUTDOWN"]);
    assert_eq!((&events[0]["functionName"], &events[0]["functionVersion"]), (&json!("f"), &json!("1")));
    assert_eq!(events[0]["handler"], "bootstrap");
    let headers = first["headers"].as_object().unwrap();
    let id = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("lambda-runtime-aws-request-id")).unwrap().1;
    assert_eq!(&events[1]["requestId"], id);
    assert!(events[1]["deadlineMs"].is_i64() && events[1]["tracing"]["value"].as_str().unwrap().starts_with("Root="));
    assert_eq!(events[3]["shutdownReason"], "spindown");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_learns_why_its_instance_ends() {
    let bench = Bench::start().await;
    let watch = watched(&bench, "").await;
    bench.done(Method::PUT, "/2015-03-31/functions/f/configuration", json!({"Timeout": 1})).await;
    bench.invoke("$LATEST", json!({"path": "/hang"})).await;
    wait_until("the timeout is reported", || events(&watch).iter().any(|event| event["shutdownReason"] == "timeout"))
        .await;
    bench.invoke("live", json!({"path": "/exit"})).await;
    wait_until("the failure is reported", || events(&watch).iter().any(|event| event["shutdownReason"] == "failure"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_crashes_takes_the_instance_with_it() {
    let bench = Bench::start().await;
    watched(&bench, "crash").await;
    let text = bench.invoke("live", json!({"path": "/whoami"})).await.text().await.unwrap();
    assert!(text.contains("Extension.Crash") && text.contains("exit status 7"), "{text}");
    bench.wait_for_note("the extension `watcher` failed: exit status 7").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_lie_over_each_other_at_opt() {
    // Only Linux has mount namespaces.
    if !cfg!(target_os = "linux") {
        return;
    }
    let bench = web(|_| {}).await;
    let below =
        publish(&bench, "below", &[("one", b"below"), ("two", b"below"), ("python/own.py", b"NAME = 'own'\n")]).await;
    let above = publish(&bench, "above", &[("two", b"above")]).await;
    let mut input = app(json!({}));
    input["Layers"] = json!([ADAPTER, below, above]);
    let url = bench.public("RESPONSE_STREAM", input).await;
    let read =
        async |file: &str| bench.http.get(format!("{url}read?file={file}")).send().await.unwrap().text().await.unwrap();
    assert_eq!((read("/opt/one").await, read("/opt/two").await), ("below".into(), "above".into()));
    let mounts = read("/proc/self/mountinfo").await;
    let options = mounts.lines().find(|line| line.contains(" /opt ")).and_then(|line| line.split(' ').nth(5));
    assert!(options.is_some_and(|options| options.split(',').any(|option| option == "ro")), "{mounts}");
    // Other processes do not see them there.
    assert!(!Path::new("/opt/two").exists());
    let shown = bench.done(Method::GET, "/2015-03-31/functions/f", Value::Null).await;
    let sizes: Vec<u64> = shown["Configuration"]["Layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| layer["CodeSize"].as_u64().unwrap())
        .collect();
    assert!(sizes[0] == 0 && sizes[1] > 100 && sizes[2] > 100, "{sizes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_cannot_be_changed() {
    const RUN: &str = "#!/bin/sh\n{ (echo x > beside); (echo x >> \"$LAMBDA_TASK_ROOT/app.py\"); (echo x > \"$TMPDIR/x\" && echo done >&2); } 2> \"$MARK\"\nexec python app.py\n";
    let bench = web(|_| {}).await;
    let mark = bench.sign_post("written");
    let mut input = app(json!({"MARK": mark}));
    input["Code"]["ZipFile"] = json!(zipped(&[("run.sh", RUN.as_bytes()), ("app.py", &fixture("app.py"))]));
    let url = bench.public("RESPONSE_STREAM", input).await;
    bench.http.get(&url).send().await.unwrap().text().await.unwrap();
    let written = std::fs::read_to_string(mark).unwrap();
    assert!(written.contains("cannot create beside: Read-only file system"), "{written}");
    assert_eq!(written.matches("cannot create").count(), 2, "{written}");
    assert!(written.ends_with("done\n"), "{written}");
}

/// The names of the files below a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let of = |entry: std::fs::DirEntry| match entry.path().is_dir() {
        true => names(&entry.path()),
        false => vec![entry.file_name().to_string_lossy().into_owned()],
    };
    entries.flat_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn python_keeps_what_it_compiled_and_every_version_runs_its_own_code() {
    const RUN: &str = "#!/bin/sh\nexport PYTHONPATH=\"$LAMBDA_TASK_ROOT\"\npython -c 'import word; print(word.SAYS)' > \"$MARK\"\nexec python app.py\n";
    let bench = web(|_| {}).await;
    let mark = bench.sign_post("said");
    let code = |word: &str| {
        // Of the same size, and a zip has no times.
        let word = format!("SAYS = '{word}'\n");
        json!(zipped(&[("run.sh", RUN.as_bytes()), ("app.py", &fixture("app.py")), ("word.py", word.as_bytes())]))
    };
    let mut input = app(json!({"MARK": mark}));
    input["Code"]["ZipFile"] = code("one");
    let url = bench.public("RESPONSE_STREAM", input).await;
    let said = async |version: &str| {
        let alias = json!({"FunctionVersion": version});
        bench.done(Method::PUT, "/2015-03-31/functions/f/aliases/live", alias).await;
        bench.http.get(&url).send().await.unwrap().text().await.unwrap();
        std::fs::read_to_string(&mark).unwrap()
    };
    assert_eq!(said("1").await, "one\n");
    let compiled = names(&bench.data.path().join("pycache"));
    assert!(compiled.iter().any(|name| name.starts_with("word.cpython-")), "{compiled:?}");
    for word in ["two", "six"] {
        let input = json!({"ZipFile": code(word), "Publish": true});
        let made = bench.done(Method::PUT, "/2015-03-31/functions/f/code", input).await;
        assert_eq!(said(made["Version"].as_str().unwrap()).await, format!("{word}\n"));
    }
    // Back to the first one, and forward again, whatever was compiled last.
    for version in ["1", "3", "2"] {
        assert_eq!(said(version).await, ["one\n", "two\n", "six\n"][version.parse::<usize>().unwrap() - 1]);
    }
    // What versions have in common is on the disk once.
    use std::os::unix::fs::MetadataExt;
    let code = std::fs::read_dir(bench.data.path().join("code")).unwrap().flatten().map(|entry| entry.path());
    let files: Vec<_> = code.filter_map(|code| std::fs::metadata(code.join("app.py")).ok()).collect();
    assert!(files.len() == 3 && files.windows(2).all(|pair| pair[0].ino() == pair[1].ino()), "{files:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_mounted_an_app_runs_anyway_and_that_is_reported() {
    // `/proc` shows the environment.
    if !cfg!(target_os = "linux") {
        return;
    }
    let bench = web(|options| options.mount_layers = false).await;
    let mut input = app(json!({}));
    input["Layers"] = json!([ADAPTER, publish(&bench, "own", &[("file", b"x"), ("python/own.py", b"")]).await]);
    let url = bench.public("RESPONSE_STREAM", input).await;
    let answer =
        bench.http.get(format!("{url}read?file=/proc/self/environ")).send().await.unwrap().text().await.unwrap();
    let variable = |name: &str| answer.split('\0').find_map(|variable| variable.strip_prefix(name)).unwrap();
    let path = variable("LD_LIBRARY_PATH=");
    let opt = path.rsplit(':').next().unwrap().strip_suffix("/lib").unwrap();
    assert!(Path::new(opt).join("python/own.py").is_file(), "{path}");
    // Python's own bootstrap would add the layers' packages, but the adapter runs instead of it.
    assert_eq!(variable("PYTHONPATH="), variable("LAMBDA_RUNTIME_DIR="));
    assert!(bench.notes().contains("layers are not at /opt but at"), "{}", bench.notes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_has_to_be_there_and_stays_for_who_uses_it() {
    let copies = tempfile::tempdir().unwrap();
    let directory = copies.path().to_owned();
    let bench = Bench::with(|options| options.layers = Some(directory)).await;
    let own = publish(&bench, "own", &[("file", b"x")]).await;
    bench.function(json!({"Layers": [own]})).await;
    bench.done(Method::DELETE, "/2018-10-31/layers/own/versions/1", Value::Null).await;
    let configure = async |layer: &str| {
        bench.lambda(Method::PUT, "/2015-03-31/functions/f/configuration", json!({"Layers": [layer]})).await
    };
    let (status, error) = configure(&own).await;
    assert_eq!((status, error["message"].as_str()), (400, Some(&*format!("Layer version {own} does not exist."))));
    bench.invoked("live", json!({"path": "/whoami"})).await;

    let foreign = "arn:aws:lambda:us-east-1:123456789012:layer:certificates:3";
    assert_eq!(configure(foreign).await.1["code"], "LocalLayerNotFound");
    let zip = STANDARD.decode(zipped(&[("file", b"x")])).unwrap();
    std::fs::write(copies.path().join(localcloud::layer_file(foreign)), zip).unwrap();
    assert_eq!(configure(foreign).await.0, 200);
}
