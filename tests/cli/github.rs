//! What GitHub Actions gets: groups, errors, the summary and outputs, read as its runner reads them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::{Bench, said};
use crate::talker::talker;
use std::collections::BTreeMap;
use std::process::Output;

const SECRET: &str = "planted-secret-value-4711";

/// One step of a job.
struct Step {
    output: Output,
    outputs: BTreeMap<String, String>,
    summary: String,
}

/// Runs lamstream as the runner does, which makes two new files for each step.
fn step(bench: &Bench, arguments: &[&str]) -> Step {
    let (outputs, summary) = (bench.path("runner/outputs"), bench.path("runner/summary"));
    bench.write_all("runner/outputs", "");
    bench.write("runner/summary", "");
    let mut command = bench.command(arguments);
    command.env("GITHUB_ACTIONS", "true").env("CI", "true").env("GITHUB_WORKSPACE", bench.path(""));
    let output = command.env("GITHUB_OUTPUT", &outputs).env("GITHUB_STEP_SUMMARY", &summary).output().unwrap();
    let read = |path| std::fs::read_to_string(path).unwrap();
    Step { output, outputs: values(&read(&outputs)), summary: read(&summary) }
}

/// The runner's rules for GITHUB_OUTPUT: `NAME=VALUE`, or `NAME<<DELIMITER` and lines up to the delimiter.
pub(crate) fn values(text: &str) -> BTreeMap<String, String> {
    let (mut values, mut lines) = (BTreeMap::new(), text.lines());
    while let Some(line) = lines.next() {
        let heredoc = line.split_once("<<").filter(|(name, _)| !name.contains('='));
        let (name, value) = match heredoc {
            Some((name, delimiter)) => {
                let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
                (name, value.join("\n"))
            }
            None => line.split_once('=').map(|(name, value)| (name, value.to_owned())).expect("an output"),
        };
        values.insert(name.to_owned(), value);
    }
    values
}

/// What the runner would obey: lines of stdout and stderr that begin with `::NAME`, in their order.
pub(crate) fn commands(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    text.lines().map(str::trim_start).filter(|line| line.starts_with("::")).map(str::to_owned).collect()
}

#[test]
fn a_plan_and_a_deploy_are_summarised_and_have_outputs() {
    let bench = talker("none");
    let manifest = std::fs::read_to_string(bench.path("deploy.toml")).unwrap();
    bench.write("deploy.toml", &manifest.replace("timeout = 60", "timeout = 60\nmemory = 256"));
    let package = ["--local", "--package", "talker.zip"];
    let usual = bench.good(&[&["plan"], &package[..]].concat());

    let plan = step(&bench, &[&["plan"], &package[..]].concat());
    assert_eq!(String::from_utf8_lossy(&plan.output.stdout), usual, "stdout is the answer alone");
    assert!(plan.summary.starts_with("### lamstream plan\n"), "{}", plan.summary);
    assert!(plan.summary.contains("```diff\n! release shop-talker:live: memory 128 -> 256\n```"), "{}", plan.summary);
    assert_eq!((plan.outputs["changed"].as_str(), plan.outputs["version"].as_str()), ("true", "1"));

    let deploy = step(&bench, &[&["deploy", "--yes"], &package[..]].concat());
    let url = String::from_utf8_lossy(&deploy.output.stdout).trim().to_owned();
    assert!(url.starts_with("http"), "{}", said(&deploy.output));
    assert_eq!((deploy.outputs["url"].as_str(), deploy.outputs["version"].as_str()), (url.as_str(), "2"));
    assert_eq!(deploy.outputs["urls"], format!("{{\"talker\":\"{url}\"}}"));
    assert_eq!(
        (deploy.outputs["versions"].as_str(), deploy.outputs["changed"].as_str()),
        ("{\"talker\":\"2\"}", "true")
    );
    assert!(
        deploy.summary.contains(&format!("| talker | changed | 2 | 1 | {url} | verified\\: ")),
        "{}",
        deploy.summary
    );

    let again = step(&bench, &[&["deploy", "--yes"], &package[..]].concat());
    assert_eq!((again.outputs["changed"].as_str(), again.outputs["url"].as_str()), ("false", url.as_str()));
    assert!(again.summary.contains("| talker | up to date | 2 |"), "{}", again.summary);

    // A later command of the same step leaves what it does not know.
    for later in [&["logs", "talker", "--local"][..], &["verify", "--local"], &["releases", "--local"]] {
        let outputs = step(&bench, later).outputs;
        assert!(
            !outputs.contains_key("changed") && outputs.get("url").is_none_or(|found| *found == url),
            "{outputs:?}"
        );
    }

    let off = step(&bench, &["url", "--local", "--no-github"]);
    assert!(off.outputs.is_empty() && off.summary.is_empty() && off.output.status.success(), "{}", said(&off.output));
    let json = step(&bench, &["url", "--local", "--output", "json"]);
    assert!(json.outputs.is_empty() && json.summary.is_empty(), "a document says everything");

    let gone = step(&bench, &["destroy", "--local"]);
    assert_eq!((gone.outputs["url"].as_str(), gone.outputs["changed"].as_str()), ("", "true"));
    assert!(gone.summary.contains("| talker | removed |"), "{}", gone.summary);
    for step in [plan, deploy, again, gone] {
        assert!(!step.summary.contains(SECRET) && !said(&step.output).contains(SECRET), "{}", step.summary);
        assert_eq!(commands(&step.output), Vec::<String>::new(), "{}", said(&step.output));
    }
}

/// The role and the log group are created while the code is built.
#[test]
fn the_changes_of_a_first_deploy_are_all_of_them() {
    let bench = Bench::new(
        "app = 'shop'\n[functions.site]\nweb = 'app'\nruntime = 'python3.13'\nrun = 'python main.py'\nurl = { auth = 'none' }\n",
    );
    let server = "import http.server, os\nhttp.server.test(http.server.SimpleHTTPRequestHandler, port=int(os.environ['PORT']))\n";
    bench.write_all("app/main.py", server);
    let deploy = step(&bench, &["deploy", "--local"]);
    assert!(deploy.output.status.success(), "{}", said(&deploy.output));
    for line in
        ["+ log_group /aws/lambda/shop-site\n", "+ role lamstream-us-east-1-shop-site\n", "+ function shop-site\n"]
    {
        assert!(deploy.summary.contains(line), "{line}: {}", deploy.summary);
    }
    bench.good(&["destroy", "--local"]);
    let (document, _) = bench.json(&["deploy", "--local"]);
    let changes = document["functions"][0]["changes"].as_array().unwrap();
    let kinds: Vec<&str> = changes.iter().map(|change| change["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["log_group", "role", "function", "release", "permission", "permission", "url"], "{document:#}");
}

#[test]
fn stages_that_have_expired_are_summarised_by_their_names() {
    let bench = Bench::new(crate::stages::MANIFEST);
    for stage in ["pr-1", "pr-2"] {
        crate::stages::deploy(&bench, &["--stage", stage]);
        crate::stages::age(&bench, &format!("shop-{stage}-chat"));
    }
    bench.good(&["local", "start"]);
    let gone = step(&bench, &["destroy", "--local", "--expired"]);
    assert!(gone.summary.contains("| Stage | Function | Result |"), "{}", gone.summary);
    for stage in ["pr\\-1", "pr\\-2"] {
        assert!(gone.summary.contains(&format!("| {stage} | chat | removed |")), "{}", gone.summary);
    }
    let plain = step(&bench, &["destroy", "--local", "--stage", "pr-1"]);
    assert!(!plain.summary.contains("Stage |"), "{}", plain.summary);
}

#[test]
fn several_functions_have_no_url_of_their_own() {
    let bench = talker("none");
    let manifest = std::fs::read_to_string(bench.path("deploy.toml")).unwrap();
    let second = manifest.replace("app = \"shop\"", "").replace("functions.talker", "functions.second");
    bench.write("deploy.toml", &(manifest + &second));
    let packages = ["--package", "talker=talker.zip", "--package", "second=talker.zip"];
    let deploy = step(&bench, &[&["deploy", "--local"], &packages[..]].concat());
    assert_eq!((deploy.outputs["url"].as_str(), deploy.outputs["version"].as_str()), ("", ""));
    let urls: BTreeMap<String, String> = serde_json::from_str(&deploy.outputs["urls"]).unwrap();
    let lines = String::from_utf8_lossy(&deploy.output.stdout).into_owned();
    let printed: BTreeMap<String, String> =
        lines.lines().map(|line| line.split_once('\t').unwrap()).map(|(name, url)| (name.into(), url.into())).collect();
    assert_eq!(urls, printed);
}

/// The paths of annotations are those of the repository, wherever lamstream runs.
#[test]
fn mistakes_in_a_manifest_are_marked_in_its_file() {
    let bench = Bench::new("");
    bench.write_all("app/deploy.toml", "app = \"shop\"\nmemroy = 100\n[functions.chat]\ncrate = \"c\"\ntimeout = 0\n");
    let expected = ["::error file=app/deploy.toml,line=2,col=1::", "::error file=app/deploy.toml,line=5,col=11::"];
    std::fs::create_dir(bench.path("app/c")).unwrap();
    for place in [&["-C", "app"][..], &["-C", "app/c"], &["--manifest", "app/deploy.toml"]] {
        let failed = step(&bench, &[&["plan", "--local"], place].concat());
        assert_eq!(failed.output.status.code(), Some(2), "{}", said(&failed.output));
        let commands = commands(&failed.output);
        assert_eq!(commands.len(), expected.len(), "{commands:?}");
        for (command, expected) in commands.iter().zip(expected) {
            assert!(command.starts_with(expected), "{command}");
        }
        assert!(commands[0].contains("memroy"), "{commands:?}");
        assert!(failed.output.stdout.is_empty(), "commands are on stderr");
        assert!(failed.summary.contains("memroy") && failed.outputs.is_empty(), "{}", failed.summary);
        let off = step(&bench, &[&["plan", "--local", "--no-github"], place].concat());
        assert!(said(&off.output).contains("memroy") && crate::github::commands(&off.output).is_empty());
    }
    // JSON has the place in keys of its own.
    let (document, _) = bench.json(&["plan", "--local", "-C", "app"]);
    let error = &document["error"];
    assert_eq!((&error["file"], &error["line"], &error["column"]), (&"deploy.toml".into(), &2.into(), &1.into()));
    let (document, _) = bench.json(&["url", "--local", "--manifest", "nowhere.toml"]);
    assert!(document["error"]["line"].is_null() && document["error"]["file"].is_null(), "{document:#}");
}

/// What `doctor` finds is marked where the manifest has it.
#[test]
fn problems_and_warnings_of_doctor_are_marked() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let bench = Bench::new(&format!(
        "app = 'shop'\n[functions.chat]\ncrate = 'unused'\nport = {port}\nenvironment.TOKEN = {{ env = 'NO_TOKEN' }}\n"
    ));
    let found = commands(&step(&bench, &["doctor", "--local"]).output);
    let value =
        "::error file=deploy.toml,line=5,col=13::values: `TOKEN` comes from the environment variable `NO_TOKEN`";
    let value = found.iter().find(|command| command.starts_with(value)).unwrap_or_else(|| panic!("{found:?}"));
    assert!(value.contains("%0Ahint: set the variable where lamstream runs"), "{value}");
    let warning = format!("::warning::ports: in use: {port}; ");
    assert!(found.iter().any(|command| command.starts_with(&warning)), "{found:?}");
    // Checks that passed or were skipped are not annotated.
    assert!(!found.iter().any(|command| command.contains("cargo:") || command.contains("credentials:")), "{found:?}");

    bench.write("deploy.toml", "app = 'shop'\nmemroy = 1\n[functions.chat]\ncrate = 'unused'\ntimeout = 0\n");
    let found = commands(&step(&bench, &["doctor", "--local"]).output);
    for begin in
        ["::error file=deploy.toml,line=2,col=1::manifest: ", "::error file=deploy.toml,line=5,col=11::manifest: "]
    {
        assert!(found.iter().any(|command| command.starts_with(begin)), "{found:?}");
    }
    assert!(commands(&step(&bench, &["doctor", "--local", "--no-github"]).output).is_empty());
}

#[test]
fn other_failures_are_errors_without_a_place() {
    let bench = Bench::new(crate::CHAT);
    let failed = step(&bench, &["url", "--local"]);
    let commands = commands(&failed.output);
    assert_eq!(failed.output.status.code(), Some(1));
    assert!(commands.len() == 1 && commands[0].starts_with("::error::function `chat` has no URL"), "{commands:?}");
    assert!(commands[0].contains("%0Ahint: run `lamstream deploy --local`"), "{commands:?}");
    // `url` shows nothing that a summary would repeat.
    assert!(failed.summary.is_empty(), "{}", failed.summary);
    let silent = step(&bench, &["rollback", "--local", "-q"]);
    assert!(crate::github::commands(&silent.output)[0].starts_with("::error::"), "{}", said(&silent.output));
    assert!(silent.summary.contains("```text\nerror: "), "{}", silent.summary);
}

/// What other programs print is folded, and cannot give orders; nor can text from a manifest.
#[test]
fn output_of_builds_is_folded_and_text_from_elsewhere_is_only_text() {
    let bench = Bench::new(
        "app = 'shop'\n[functions.site]\nweb = 'app'\nruntime = 'nodejs22.x'\nrun = 'node index.js'\ndependencies = 'none'\n\
         build = { command = 'cat ../words; exit $(cat ../code)' }\n",
    );
    bench.write_all("app/index.js", "");
    bench.write("words", "one\n::set-output name=url::evil\n  ::error::evil\n##[endgroup]\n::endgroup::\n");
    bench.write("code", "0");
    let built = step(&bench, &["build", "--out", "out"]);
    assert!(built.output.status.success(), "{}", said(&built.output));
    assert_eq!(commands(&built.output), ["::group::Build output of site", "::endgroup::"], "{}", said(&built.output));
    let text = String::from_utf8_lossy(&built.output.stderr).into_owned();
    let inside = text.split("::group::").nth(1).unwrap().split("\n::endgroup::").next().unwrap();
    assert!(inside.contains("\none\n") && !inside.contains("Packaged"), "{text}");
    assert!(!text.contains("##[endgroup]"), "{text}");

    bench.write("code", "3");
    let failed = step(&bench, &["build", "--out", "out"]);
    let found = commands(&failed.output);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[2].starts_with("::error::") && found[2].contains("status 3"), "{found:?}");

    bench.write("deploy.toml", "app = \"shop\"\n\"::error::`x`%0A|<img>\\n::stop-commands::y\" = 1\n");
    let failed = step(&bench, &["plan"]);
    let found = commands(&failed.output);
    assert!(
        !found.is_empty() && found.iter().all(|command| command.starts_with("::error file=deploy.toml")),
        "{found:?}"
    );
    assert!(found.iter().any(|command| command.contains("%250A|<img>\\n::stop-commands")), "{found:?}");
    let lines: Vec<&str> = failed.summary.lines().collect();
    assert!(lines.iter().any(|line| line.contains("<img>")), "{}", failed.summary);
    assert_eq!(lines.iter().filter(|line| line.starts_with("```")).count(), 2, "one block of code: {}", failed.summary);
}

/// A step must not go on without the outputs that the next one reads.
#[test]
fn a_file_of_the_runner_that_cannot_be_written_is_an_error() {
    let bench = talker("none");
    let mut command = bench.command(&["url", "--local"]);
    let output = command.env("GITHUB_ACTIONS", "true").env("GITHUB_OUTPUT", "/nowhere/outputs").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("`GITHUB_OUTPUT`"), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("http"), "the answer is printed");
}
