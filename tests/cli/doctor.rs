//! `lamstream doctor`: each check in each of its states, made by surroundings that are so.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::CHAT;
use crate::clock::wrong_clock;
use crate::support::aws::Keys;
use crate::support::bench::{Bench, moody_zip, said};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

/// The result and the message of each check, with its hints.
struct Checks(BTreeMap<String, (String, String)>, String);

impl Checks {
    /// Runs it, and compares the exit code with the results.
    fn of(command: &mut Command) -> Checks {
        let output = command.args(["--output", "json"]).output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let check = |check: &Value| {
            let hints: Vec<String> = check["hints"].as_array().unwrap().iter().map(text).collect();
            (
                text(&check["name"]),
                (text(&check["result"]), format!("{} | {}", text(&check["message"]), hints.join(" | "))),
            )
        };
        let checks: BTreeMap<_, _> = document["checks"].as_array().unwrap().iter().map(check).collect();
        let bad = checks.values().any(|(result, _)| result == "problem");
        assert_eq!(output.status.code(), Some(i32::from(bad)), "{}", said(&output));
        assert_eq!((document["ok"] == false, document["error"].is_object()), (bad, bad), "{document}");
        Checks(checks, said(&output))
    }

    #[track_caller]
    fn has(&self, name: &str, result: &str, words: &str) {
        let (found, message) = self.0.get(name).unwrap_or_else(|| panic!("no check `{name}`: {}", self.1));
        assert!(found == result && message.contains(words), "{name}: {found}: {message}");
    }
}

/// With the account of the bench's local cloud, as if it were AWS.
fn on_aws(bench: &Bench) -> Command {
    let mut command = bench.command(&["doctor"]);
    command.envs(bench.aws_variables());
    command
}

/// A directory with these programs alone, as `PATH`.
fn path_with(bench: &Bench, programs: &[(&str, &str)]) -> String {
    let directory = bench.path("bin");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir(&directory).unwrap();
    for (name, script) in programs {
        std::fs::write(directory.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(directory.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    symlink("/bin/sh", directory.join("sh")).unwrap();
    directory.display().to_string()
}

/// The address of something that answers every request with these credentials.
fn container(credentials: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/role", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let head = BufReader::new(client.try_clone().unwrap()).lines().map_while(Result::ok);
            head.take_while(|line| !line.is_empty()).for_each(drop);
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length";
            let _ = write!(client, "{head}: {}\r\n\r\n{credentials}", credentials.len());
        }
    });
    address
}

#[test]
fn a_healthy_project_has_no_problem() {
    let bench = Bench::new(CHAT);
    let checks = Checks::of(&mut on_aws(&bench));
    for (name, result, words) in [
        ("credentials", "ok", "from the environment's `AWS_ACCESS_KEY_ID`"),
        ("account", "ok", "000000000000, as arn:aws:iam::000000000000:root"),
        ("clock", "ok", "within a minute"),
        ("region", "ok", "us-east-1 has Function URLs"),
        ("streaming", "skipped", "AWS has no API"),
        ("concurrency", "ok", "instances are not reserved"),
        ("public URLs", "skipped", "AWS has no API"),
        ("permissions", "skipped", "users and roles only"),
        ("manifest", "ok", "`deploy.toml`: app `shop` with 1 function"),
        ("build chat", "ok", "a crate for"),
        ("cargo", "ok", "cargo 1."),
        ("ports", "ok", "127.0.0.1"),
        ("disk (project)", "ok", "GB free"),
        ("local cloud", "ok", "running at http://127.0.0.1:"),
    ] {
        checks.has(name, result, words);
    }
    let text = on_aws(&bench).output().unwrap();
    let lines = String::from_utf8(text.stdout).unwrap();
    assert!(lines.lines().any(|line| line == "ok       clock: within a minute of AWS's"), "{lines}");
    bench.good(&["local", "stop"]);
    let local = Checks::of(bench.command(&["doctor", "--local"]).env("AWS_REGION", "no region"));
    local.has("credentials", "skipped", "`--local` needs none");
    local.has("local cloud", "ok", "not running");
    assert!(!local.0.contains_key("region"));
}

#[test]
fn without_credentials_nothing_is_said_to_be_well_that_was_not_looked_at() {
    let bench = Bench::new(CHAT);
    let mut command = bench.command(&["doctor", "--region", "eu-central-1"]);
    let checks = Checks::of(command.env("AWS_EC2_METADATA_DISABLED", "true"));
    checks.has("credentials", "problem", "cannot find AWS credentials");
    for name in ["clock", "region", "streaming", "concurrency", "public URLs", "permissions"] {
        checks.has(name, "skipped", "");
    }
    let nowhere = Checks::of(bench.command(&["doctor"]).env("AWS_EC2_METADATA_DISABLED", "true"));
    nowhere.has("region", "problem", "no region is set");
    nowhere.has("credentials", "skipped", "without a region");
    let mut command = bench.command(&["doctor", "--region", "eu-central-1", "--profile", "none"]);
    Checks::of(&mut command).has("credentials", "problem", "cannot use profile `none`");
    // Keys that AWS rejects do not name an account, and are not printed.
    let mut command = on_aws(&bench);
    let refused = Checks::of(command.env("AWS_SECRET_ACCESS_KEY", "planted-secret-4711"));
    refused.has("credentials", "skipped", "AWS_ACCESS_KEY_ID");
    refused.has("account", "problem", "cannot find out the AWS account");
    assert!(!refused.1.contains("planted-secret"), "{}", refused.1);
    bench.write_all(
        "home/.aws/config",
        "[profile prod]\naws_access_key_id = a\naws_secret_access_key = b\nregion = eu-west-1\n",
    );
    let mut command = on_aws(&bench);
    Checks::of(command.args(["--profile", "prod"])).has(
        "credentials",
        "skipped",
        "profile `prod` (keys), named by `--profile`",
    );
}

#[test]
fn the_account_the_clock_and_the_region_are_judged() {
    let bench = Bench::new(&format!("account = '123456789012'\n{CHAT}"));
    bench.good(&["local", "start", "--url-regions", "aws", "--concurrency", "10"]);
    let checks = Checks::of(&mut on_aws(&bench));
    checks.has("account", "problem", "the manifest is for account `123456789012`");
    checks.has("concurrency", "warning", "only 10 of 10 instances are not reserved");
    let chat = CHAT.replace("url =", "concurrency = 5000\nurl =");
    bench.write("deploy.toml", &chat);
    let mut command = on_aws(&bench);
    let checks = Checks::of(command.env("AWS_REGION", "eu-central-2"));
    checks.has("region", "problem", "eu-central-2 has no Function URLs");
    checks.has("concurrency", "problem", "the manifest reserves 5000");
    bench.write("deploy.toml", "app = 'shop'\n[functions.chat]\ncrate = 'unused'\n");
    let mut command = on_aws(&bench);
    let checks = Checks::of(
        command.env("AWS_REGION", "eu-central-2").env("LD_PRELOAD", wrong_clock()).env("CLOCK_AHEAD", "1200"),
    );
    checks.has("region", "warning", "eu-central-2 has no Function URLs");
    checks.has("clock", "warning", "min ahead");
    let web = "app = 'shop'\n[functions.chat]\ncrate = 'unused'\nport = 8080\n";
    bench.write("deploy.toml", web);
    let mut command = on_aws(&bench);
    let checks = Checks::of(command.env("AWS_REGION", "us-gov-west-1"));
    checks.has("adapter", "problem", "AWS publishes no layer with Lambda Web Adapter there");
    Checks::of(&mut on_aws(&bench)).has("layer", "problem", "LambdaAdapterLayerX86");
}

#[test]
fn what_the_manifest_reserves_is_compared_with_what_is_reserved_already() {
    let chat = CHAT.replace("url =", "concurrency = 300\nurl =");
    let bench = Bench::new(&chat);
    bench.good(&["local", "start", "--concurrency", "500"]);
    Checks::of(&mut on_aws(&bench)).has("concurrency", "ok", "500 of 500 instances are not reserved");
    bench.good(&["deploy", "--local", "--no-verify", &format!("--package={}", moody_zip().display())]);
    let checks = Checks::of(&mut on_aws(&bench));
    checks.has("concurrency", "warning", "200 of 500 instances are not reserved; the manifest reserves 300");
}

/// A role with the policy that `policy` prints may do all that it was printed for, by IAM's own simulation.
#[test]
fn permissions_are_those_that_the_policy_of_the_manifest_gives() {
    let bench = Bench::new(CHAT);
    bench.good(&["local", "start", "--role-propagation", "0s"]);
    let keys = Keys::of(&bench);
    let encoded =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let trust = encoded(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#,
    );
    keys.query(
        "iam",
        &format!(
            "Action=CreateRole&Version=2010-05-08&RoleName=deployer&Path=%2Fteam%2F&AssumeRolePolicyDocument={trust}"
        ),
    );
    let session = keys.query("sts", "Action=AssumeRole&Version=2011-06-15&RoleSessionName=alice&RoleArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Fteam%2Fdeployer");
    let field = |name: &str| session.split(&format!("<{name}>")).nth(1).unwrap().split('<').next().unwrap().to_owned();
    let doctor = || {
        let mut command = on_aws(&bench);
        for (variable, name) in [
            ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
            ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
            ("AWS_SESSION_TOKEN", "SessionToken"),
        ] {
            command.env(variable, field(name));
        }
        Checks::of(&mut command)
    };
    // The same from a container, as ECS hands them out, and from the profile that needs no name.
    let handed_out = serde_json::json!({
        "AccessKeyId": field("AccessKeyId"), "SecretAccessKey": field("SecretAccessKey"),
        "Token": field("SessionToken"), "Expiration": "2099-01-01T00:00:00Z",
    });
    let mut command = on_aws(&bench);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", container(handed_out.to_string()));
    let checks = Checks::of(&mut command);
    checks.has("credentials", "ok", "from the role of this container");
    checks.has("account", "ok", "assumed-role/deployer/alice");
    bench.write_all(
        "home/.aws/credentials",
        &format!("[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n", keys.id, keys.secret),
    );
    let mut command = on_aws(&bench);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    Checks::of(&mut command).has("credentials", "ok", "from the profile `default`");
    let give = |commands: &[&str]| {
        let options: Vec<&str> = commands.iter().flat_map(|command| ["--command", command]).collect();
        let policy =
            bench.good(&[&["policy", "--account", "000000000000", "--region", "us-east-1"], &options[..]].concat());
        let policy = encoded(&policy);
        keys.query(
            "iam",
            &format!(
                "Action=PutRolePolicy&Version=2010-05-08&RoleName=deployer&PolicyName=own&PolicyDocument={policy}"
            ),
        );
    };
    let checks = doctor();
    checks.has("account", "ok", "assumed-role/deployer/alice");
    checks.has("permissions", "problem", "lambda:CreateFunction");
    checks.has("permissions", "problem", "attach what this prints: `lamstream policy --command plan --command deploy");
    let commands: Vec<&str> = lamstream::policy::COMMANDS.into_iter().filter(|command| *command != "doctor").collect();
    give(&commands);
    doctor().has("permissions", "ok", "role/team/deployer refuses nothing");
    let without: Vec<&str> = commands.into_iter().filter(|command| *command != "destroy").collect();
    give(&without);
    doctor().has("permissions", "warning", "which is needed by destroy");
}

#[test]
fn the_tools_of_this_machine_are_judged() {
    let bench = Bench::new(
        "app = 'shop'\n[functions.chat]\ncrate = 'unused'\n[functions.site]\nweb = 'site'\nruntime = 'python3.13'\nrun = 'uvicorn main:app'\n",
    );
    bench.write_all("site/main.py", "app = 1\n");
    bench.write_all("site/uv.lock", "version = 1\nrequires-python = '>=3.13'\n");
    bench.write_all("site/pyproject.toml", "[project]\nname = 'site'\nversion = '1'\nrequires-python = '>=3.13'\n");
    let python = "echo 9";
    let path = path_with(
        &bench,
        &[("python3.9", python), ("python3", python), ("getconf", "echo glibc 2.41"), ("node", "exit 1")],
    );
    let mut command = bench.command(&["doctor"]);
    command
        .env("PATH", &path)
        .env("CARGO", "/nowhere/cargo")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_REGION", "eu-west-1");
    let checks = Checks::of(&mut command);
    checks.has("cargo", "problem", "`cargo` cannot be started");
    checks.has("cargo", "problem", "https://rustup.rs");
    checks.has("build chat", "problem", "cannot");
    checks.has("build site", "problem", "uv");
    checks.has("glibc", "warning", "2.41 is much newer than Lambda's 2.34");
    checks.has("python", "warning", "Python 3.9 here, but 3.13 on Lambda");
    checks.has("node", "skipped", "Node.js is not installed, and no function uses it");
    // No interpreter at all, and nothing that asks for glibc.
    let path = path_with(&bench, &[]);
    let mut command = bench.command(&["doctor", "--local"]);
    let checks = Checks::of(command.env("PATH", &path));
    checks.has("python", "problem", "Python is not installed");
    checks.has("glibc", "skipped", "getconf");
}

#[test]
fn the_manifest_its_values_and_its_ports_are_judged() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let bench = Bench::new(&format!(
        "app = 'shop'\n[functions.chat]\ncrate = 'nowhere'\nport = {port}\nenvironment.TOKEN = {{ env = 'NO_TOKEN' }}\n"
    ));
    let checks = Checks::of(&mut bench.command(&["doctor", "--local"]));
    checks.has("build chat", "problem", "nowhere");
    checks.has("values", "problem", "`TOKEN` comes from the environment variable `NO_TOKEN`, which is not set");
    checks.has("ports", "warning", &format!("in use: {port}"));
    let checks = Checks::of(bench.command(&["doctor", "--local"]).env("NO_TOKEN", "x"));
    checks.has("values", "ok", "all 1 that come from outside are there");

    bench.write(
        "deploy.toml",
        "app = 'shop'\n[functions.chat]\ncrate = 'unused'\nenvironment.TOKEN = { ssm = '/shop/TOKEN' }\n",
    );
    let unasked = Checks::of(&mut bench.command(&["doctor", "--local"]));
    unasked.has("values", "skipped", "1 of 1 are in the local cloud, which is not running");
    Checks::of(&mut on_aws(&bench)).has("values", "problem", "Parameter Store does not have");
    let here = Checks::of(&mut bench.command(&["doctor", "--local"]));
    here.has("values", "problem", "Parameter Store does not have");
    // The app's own parameters are those of `secret`, in the stage and the cloud that the command is about.
    here.has("values", "problem", "| store it if it does not exist: `lamstream secret set --local TOKEN`");
    let manifest = std::fs::read_to_string(bench.path("deploy.toml")).unwrap() + "[stages.prod]\n";
    bench.write("deploy.toml", &manifest);
    let staged = Checks::of(&mut bench.command(&["doctor", "--local", "--stage", "prod"]));
    staged.has("values", "problem", "| create it if it does not exist: `aws ssm put-parameter");
    staged.has("values", "problem", "store it in the local cloud: run `eval");
    bench.write("deploy.toml", &manifest.replace("/shop/TOKEN", "/shop/prod/TOKEN"));
    let staged = Checks::of(&mut bench.command(&["doctor", "--local", "--stage", "prod"]));
    staged.has("values", "problem", "`lamstream secret set --stage prod --local TOKEN`");

    bench.write("deploy.toml", "app = 1");
    Checks::of(&mut bench.command(&["doctor", "--local"])).has("manifest", "problem", "deploy.toml:1:");
    std::fs::remove_file(bench.path("deploy.toml")).unwrap();
    let general = Checks::of(&mut bench.command(&["doctor", "--local"]));
    general.has("manifest", "skipped", "only what every project needs is checked");
    general.has("cargo", "ok", "cargo 1.");
    assert!(!general.0.contains_key("values"));
}

/// `doctor` does not warn about a port that an app in the local cloud uses.
#[test]
fn ports_of_the_local_cloud_are_no_warning() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let bench = Bench::new(&format!(
        "app = 'shop'\n[functions.site]\nweb = 'site'\nruntime = 'python3.13'\nrun = 'python main.py'\nport = {port}\n\
         url = {{ auth = 'none' }}\n"
    ));
    let server = "import http.server, os\nhttp.server.test(http.server.SimpleHTTPRequestHandler, port=int(os.environ['PORT']))\n";
    bench.write_all("site/main.py", server);
    bench.good(&["deploy", "--local"]);
    let own = Checks::of(&mut bench.command(&["doctor", "--local"]));
    own.has("ports", "ok", &format!("or the local cloud's own: {port}"));
    bench.good(&["local", "stop"]);
    let _stranger = TcpListener::bind(("127.0.0.1", port)).unwrap();
    bench.good(&["local", "start"]);
    Checks::of(&mut bench.command(&["doctor", "--local"])).has("ports", "warning", &format!("in use: {port}"));
}
