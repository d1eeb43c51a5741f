//! Unpacked code exists exactly as long as something uses it.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::processes::start_unprivileged;
use crate::support::{Bench, package, wait_until, zip};

const F: &str = "/2015-03-31/functions/f";

/// The names in `code`, without drafts.
fn code(data: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(data.join("code")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.ends_with(".tmp")).collect()
}

/// The test function with some additional bytes, so that it is different code.
fn variant(number: usize) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bootstrap.py");
    zip("bootstrap", format!("{}\n# {number}\n", std::fs::read_to_string(path).unwrap()).as_bytes())
}

async fn update(bench: &Bench, zip: &str) -> String {
    let shown = bench.done(Method::PUT, &format!("{F}/code"), json!({"ZipFile": zip})).await;
    shown["CodeSha256"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_was_replaced_is_deleted_while_the_cloud_runs() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let published = code(bench.data.path());
    assert_eq!(published.len(), 2, "a directory and its zip: {published:?}");
    for number in 0..20 {
        update(&bench, &variant(number)).await;
        bench.invoked("$LATEST", json!({"path": "/whoami"})).await;
        wait_until("the code of version 1 and of $LATEST alone", || code(bench.data.path()).len() == 4).await;
    }
    assert!(code(bench.data.path()).is_superset(&published));
    bench.invoked("live", json!({"path": "/whoami"})).await;
    bench.done(Method::DELETE, F, Value::Null).await;
    wait_until("no code of a deleted function", || code(bench.data.path()).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_keeps_its_code_until_it_ends() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    update(&bench, &variant(1)).await;
    let (here, gate) = (bench.sign_post("here"), bench.sign_post("gate"));
    let event = json!({"path": "/gate", "here": here, "gate": gate});
    let of_version_and_first = code(bench.data.path());
    let (seen, ()) = tokio::join!(bench.invoked("$LATEST", event), async {
        wait_until("the function runs", || here.exists()).await;
        update(&bench, &variant(2)).await;
        let with_second = code(bench.data.path());
        update(&bench, &variant(3)).await;
        // In the meantime, code that nothing runs is deleted.
        let second: BTreeSet<_> = with_second.difference(&of_version_and_first).cloned().collect();
        assert_eq!(second.len(), 2);
        wait_until("unused code is deleted", || code(bench.data.path()).is_disjoint(&second)).await;
        assert!(code(bench.data.path()).is_superset(&of_version_and_first));
        std::fs::write(&gate, "").unwrap();
    });
    assert_eq!(seen["count"], 1);
    wait_until("its code is deleted", || code(bench.data.path()).len() == 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_code_may_come_again_at_any_time() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    for _ in 0..20 {
        update(&bench, &variant(1)).await;
        update(&bench, &variant(2)).await;
        update(&bench, &variant(1)).await;
        assert_eq!(bench.invoked("$LATEST", json!({"path": "/echo", "a": 1})).await["a"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_go_with_the_last_that_uses_them() {
    let bench = Bench::start().await;
    let layer = |content: &str| json!({"Content": {"ZipFile": zip("file", content.as_bytes())}});
    let published = bench.done(Method::POST, "/2018-10-31/layers/l/versions", layer("a")).await;
    let arn = published["LayerVersionArn"].as_str().unwrap();
    bench.function(json!({"Layers": [arn]})).await;
    bench.invoked("live", json!({"path": "/whoami"})).await;
    bench.done(Method::DELETE, "/2018-10-31/layers/l/versions/1", Value::Null).await;
    bench.done(Method::PUT, &format!("{F}/configuration"), json!({"Layers": []})).await;
    bench.invoked("$LATEST", json!({"path": "/whoami"})).await;
    let opt = || std::fs::read_dir(bench.data.path().join("opt")).unwrap().count();
    assert_eq!((code(bench.data.path()).len(), opt()), (4, 1), "version 1 has the layer");
    bench.done(Method::DELETE, &format!("{F}/aliases/live"), Value::Null).await;
    bench.done(Method::DELETE, &format!("{F}?Qualifier=1"), Value::Null).await;
    wait_until("the layer is gone", || code(bench.data.path()).len() == 2 && opt() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_that_may_not_be_written_are_deleted_with_their_instance() {
    let data = tempfile::tempdir().unwrap();
    let Some((cloud, address)) = start_unprivileged(&data) else { return };
    let bench = Bench::attach(&address, data).await;
    bench.role().await;
    let script = "#!/bin/sh\nmkdir -p $TMPDIR/a/b $HOME/c && touch $TMPDIR/a/b/file\n\
                  chmod -R a-w $TMPDIR/a $HOME/c && echo made\nexit 1\n";
    let input = json!({
        "FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/role", "Runtime": "provided.al2023",
        "Handler": "bootstrap", "Code": {"ZipFile": zip("bootstrap", script.as_bytes())},
    });
    while bench.lambda(Method::POST, "/2015-03-31/functions", input.clone()).await.0 != 201 {}
    while bench.done(Method::GET, &format!("{F}/configuration"), Value::Null).await["State"] != "Active" {}
    bench.invoke("$LATEST", json!({})).await;
    let (_, log) =
        bench.logs("FilterLogEvents", json!({"logGroupName": "/aws/lambda/f", "filterPattern": "made"})).await;
    assert!(!log["events"].as_array().unwrap().is_empty(), "{log}");
    let run = bench.data.path().join("run");
    wait_until("the instance's place is deleted", || std::fs::read_dir(&run).unwrap().count() == 0).await;
    update(&bench, &package()).await;
    wait_until("its code is deleted", || code(bench.data.path()).len() == 2).await;
    drop(cloud);
}

/// The test function with other entries: a mode, and the content of a file, or the target of a link.
fn with_entries(entries: &[(&str, u32, &str)]) -> String {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = |mode| zip::write::SimpleFileOptions::default().unix_permissions(mode);
    let bootstrap = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bootstrap.py");
    writer.start_file("bootstrap", options(0o755)).unwrap();
    writer.write_all(&std::fs::read(bootstrap).unwrap()).unwrap();
    for (name, mode, content) in entries {
        match *mode {
            LINK => writer.add_symlink(*name, *content, zip::write::SimpleFileOptions::default()).unwrap(),
            mode if name.ends_with('/') => writer.add_directory(*name, options(mode)).unwrap(),
            mode => {
                writer.start_file(*name, options(mode)).unwrap();
                writer.write_all(content.as_bytes()).unwrap();
            }
        }
    }
    STANDARD.encode(writer.finish().unwrap().into_inner())
}

const LINK: u32 = 0o120_000;

/// What the function reads in files.
async fn read(bench: &Bench, files: &str) -> Value {
    bench.invoked("$LATEST", json!({"path": "/read", "files": files})).await
}

const ENTRIES: [(&str, u32, &str); 8] = [
    ("data/all", 0o644, "all"),
    ("data/own", 0o600, "own"),
    ("closed/", 0o700, ""),
    ("closed/all", 0o644, "all"),
    ("link", LINK, "data/all"),
    ("bin/link", LINK, "../link"),
    // As on AWS, a function may have links that lead anywhere.
    ("absolute", LINK, "/dev/null"),
    ("outside", LINK, "../nowhere"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_function_has_links_and_the_permissions_of_others() {
    // As root, and as a user who is not.
    let bench = Bench::start().await;
    bench.role().await;
    let data = tempfile::tempdir().unwrap();
    let other = start_unprivileged(&data);
    let unprivileged = match &other {
        Some((_, address)) => {
            let bench = Bench::attach(address, data).await;
            bench.role().await;
            Some(bench)
        }
        None => None,
    };
    for bench in std::iter::once(&bench).chain(&unprivileged) {
        bench.function_patiently().await;
        update(bench, &with_entries(&ENTRIES)).await;
        while bench.done(Method::GET, &format!("{F}/configuration"), Value::Null).await["LastUpdateStatus"]
            != "Successful"
        {}
        let seen = read(bench, "data/all,data/own,closed/all,link,bin/link,absolute,outside").await;
        let wanted = json!({
            "data/all": "all", "data/own": "EACCES", "closed/all": "EACCES", "link": "all", "bin/link": "all",
            "absolute": "", "outside": "ENOENT",
        });
        assert_eq!(seen, wanted);
        // It can be deleted anyway.
        update(bench, &package()).await;
        wait_until("its code is deleted", || code(bench.data.path()).len() == 2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_leads_out_is_not_started() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.add_symlink("bootstrap", "/bin/true", zip::write::SimpleFileOptions::default()).unwrap();
    update(&bench, &STANDARD.encode(writer.finish().unwrap().into_inner())).await;
    while bench.done(Method::GET, &format!("{F}/configuration"), Value::Null).await["LastUpdateStatus"] != "Successful"
    {
    }
    let answer = bench.invoked("$LATEST", json!({})).await;
    assert!(answer.to_string().contains("a link that leads out of the package"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_have_links_and_the_permissions_of_others() {
    let bench = Bench::start().await;
    let mut layers = Vec::new();
    for (name, entries) in [("below", vec![("link", LINK, "elsewhere/")]), ("own", ENTRIES.to_vec())] {
        let layer = json!({"Content": {"ZipFile": with_entries(&entries)}});
        let published = bench.done(Method::POST, &format!("/2018-10-31/layers/{name}/versions"), layer).await;
        layers.push(published["LayerVersionArn"].clone());
    }
    bench.function(json!({"Layers": layers})).await;
    let paths = bench.invoked("$LATEST", json!({"path": "/environment"})).await;
    let paths = paths["LD_LIBRARY_PATH"].as_str().unwrap();
    let opt = paths.rsplit(':').next().unwrap().strip_suffix("/lib").unwrap();
    let files = ["data/all", "data/own", "closed/all", "link", "bin/link"].map(|file| format!("{opt}/{file}"));
    let seen = read(&bench, &files.join(",")).await;
    let seen = files.map(|file| seen[file].as_str().unwrap().to_owned());
    assert_eq!(seen, ["all", "EACCES", "EACCES", "all", "all"]);
}
