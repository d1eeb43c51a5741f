//! The same calls on the local cloud and on moto.

use crate::cloud::{Cloud, good, judges};
use crate::support::bench::Server;
use crate::support::python::python;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How many calls the script has.
const CALLS: u32 = 700;

#[test]
fn moto_and_the_local_cloud_answer_alike() {
    let Some(bin) = python() else { return };
    let cloud = Cloud::start(|options| {
        options.pending = Duration::ZERO;
        options.update = Duration::ZERO;
    });
    let moto = Server::start(
        Command::new(bin.join("python"))
            .args(["-c", include_str!("../clouds/moto_server.py")])
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .env("MOTO_ACCOUNT_ID", localcloud::ACCOUNT)
            .stderr(Stdio::null()),
    );
    print!("{}", good(cloud.script(&bin, "differential.py").args([&moto.address, &CALLS.to_string()])));
}

/// `docs/moto.md` says what `moto.json` lists.
#[test]
fn the_list_of_motos_errors_is_the_documented_one() {
    let head = "# What moto 5.2.5 gets wrong\n\n`tests/judges` sends one script of calls to the local cloud and to \
                [moto](https://github.com/getmoto/moto), and compares the answers.\nThis is the list of moto's errors \
                that the script found. It is generated from `tests/judges/moto.json`.\n\n";
    documented("moto", head);
}

/// A page of the documentation says what the list of the same name has.
pub(crate) fn documented(name: &str, head: &str) {
    let list = std::fs::read(judges().join(name).with_extension("json")).expect("the list");
    let list: Vec<serde_json::Value> = serde_json::from_slice(&list).expect("a list");
    let mut text = format!("{head}| Error | Operations | What AWS does | Shown by |\n|---|---|---|---|\n");
    for entry in &list {
        let member = |name: &str| entry[name].as_str().unwrap_or_default();
        let operations = entry["operations"].as_array().expect("operations").iter();
        let operations: Vec<_> = operations.map(|name| name.as_str().unwrap_or_default().replace('*', "\\*")).collect();
        let shown = match entry.get("proof") {
            Some(proof) => format!("{name} answers `{}`, not `{}`", proof[name], proof["ours"]).replace('"', ""),
            None => "the script".to_owned(),
        };
        let (what, operations) = (member("id"), operations.join(", "));
        text += &format!("| {what} | {operations} | [{}]({}) | {shown} |\n", member("aws"), member("source"));
    }
    let page = format!("{name}.md");
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&page);
    std::fs::write(&made, &text).expect("it is written");
    let documented = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(&page));
    assert!(
        documented.is_ok_and(|documented| documented == text),
        "to follow the list: cp {} docs/{page}",
        made.display()
    );
}
