//! Values from outside: found in four places, missed before anything is built, and asked for only where they count.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::aws::Keys;
use crate::support::bench::{Bench, function_zip, said};
use serde_json::json;
use std::process::{Command, Output};

/// One variable and one header of each origin.
const EVERYWHERE: &str = r#"
app = "shop"
[functions.chat]
crate = "unused"
url = { auth = "none" }
[functions.chat.environment]
FROM_ENV = { env = "OUTER" }
FROM_FILE = { file = "keys/token" }
FROM_SSM = { ssm = "/shop/token" }
FROM_FIRST = { ssm = "/shop/token:1" }
FROM_SECRET = { secret = "shop/token" }
[functions.chat.check]
method = "POST"
path = "/stream/chat"
query = { query = "hello" }
headers = { authorization = { env = "OUTER" }, x-token = { secret = "shop/token" } }
streams = true
"#;

fn package() -> String {
    format!("--package={}", function_zip().display())
}

fn run(bench: &Bench, arguments: &[&str]) -> Output {
    bench.command(arguments).env("OUTER", "of the environment").output().unwrap()
}

fn code_and_errors(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// What the live version has, by an independent client.
fn environment(bench: &Bench) -> serde_json::Value {
    let keys = Keys::of(bench);
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--aws-sigv4", &format!("aws:amz:{}:lambda", keys.region)]);
    curl.args(["--user", &format!("{}:{}", keys.id, keys.secret)]);
    curl.arg(format!("{}/2015-03-31/functions/shop-chat/configuration?Qualifier=live", keys.endpoint));
    let answer: serde_json::Value = serde_json::from_slice(&curl.output().unwrap().stdout).unwrap();
    answer["Environment"]["Variables"].clone()
}

fn prepare(bench: &Bench) {
    std::fs::create_dir(bench.path("keys")).unwrap();
    bench.write("keys/token", "of the file\n");
    let keys = Keys::of(bench);
    for value in ["the first", "of the parameter"] {
        let put = json!({ "Name": "/shop/token", "Value": value, "Type": "SecureString", "Overwrite": true });
        keys.json("AmazonSSM.PutParameter", &put);
    }
    let secret = json!({
        "Name": "shop/token", "SecretString": "of the secret", "ClientRequestToken": "0123456789abcdef0123456789abcdef"
    });
    keys.json("secretsmanager.CreateSecret", &secret);
}

#[test]
fn they_come_from_four_places_and_a_change_of_one_is_a_change() {
    let bench = Bench::new(EVERYWHERE);
    prepare(&bench);
    let deployed = run(&bench, &["deploy", "--local", "--yes", &package()]);
    assert!(deployed.status.success(), "{}", said(&deployed));
    let expected = json!({
        "FROM_ENV": "of the environment", "FROM_FILE": "of the file", "FROM_SSM": "of the parameter",
        "FROM_FIRST": "the first", "FROM_SECRET": "of the secret",
    });
    assert_eq!(environment(&bench), expected);
    let plan = |bench: &Bench| String::from_utf8(run(bench, &["plan", "--local", &package()]).stdout).unwrap();
    assert_eq!(plan(&bench), "no changes\n");

    let put = json!({ "Name": "/shop/token", "Value": "another", "Overwrite": true });
    Keys::of(&bench).json("AmazonSSM.PutParameter", &put);
    assert_eq!(plan(&bench), "~ release shop-chat:live: environment.FROM_SSM changed\n");
    let status = run(&bench, &["status", "--local"]);
    assert!(String::from_utf8_lossy(&status.stdout).contains("environment.FROM_SSM changed"), "{}", said(&status));
}

/// The calls go where all others go, with the same credentials: the SDK's variables count for them too.
#[test]
fn they_are_read_with_the_deploys_credentials_where_it_deploys() {
    let bench = Bench::new(EVERYWHERE);
    prepare(&bench);
    let proxy = bench.proxy();
    let planned = bench.through(&proxy, &["plan", &package()]).env("OUTER", "x").output().unwrap();
    assert!(planned.status.success(), "{}", said(&planned));
    let calls = proxy.take_calls();
    assert_eq!(calls.iter().filter(|call| *call == "GetParameters").count(), 1, "{calls:?}");
    assert_eq!(calls.iter().filter(|call| *call == "GetSecretValue").count(), 1, "{calls:?}");

    let mut elsewhere = bench.through(&proxy, &["plan", &package()]);
    let elsewhere = elsewhere.env("OUTER", "x").env("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:1").output().unwrap();
    let (code, errors) = code_and_errors(&elsewhere);
    assert_eq!(code, Some(2), "{errors}");
    assert!(
        errors.contains("must not be split between clouds") && errors.contains("SSM at http://127.0.0.1:1"),
        "{errors}"
    );
}

#[test]
fn more_than_ten_parameters_are_read_ten_at_a_time() {
    let variables: String = (0..23).map(|n| format!("V{n:02} = {{ ssm = \"/many/{n}\" }}\n")).collect();
    let manifest =
        format!("app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\n[functions.chat.environment]\n{variables}");
    let bench = Bench::new(&manifest);
    let keys = Keys::of(&bench);
    for number in 0..23 {
        let put = json!({ "Name": format!("/many/{number}"), "Value": format!("value {number}"), "Type": "String" });
        keys.json("AmazonSSM.PutParameter", &put);
    }
    let proxy = bench.proxy();
    let deployed = bench.through(&proxy, &["deploy", "--yes", &package()]).output().unwrap();
    assert!(deployed.status.success(), "{}", said(&deployed));
    assert_eq!(proxy.take_calls().iter().filter(|call| *call == "GetParameters").count(), 3);
    let found = environment(&bench);
    assert_eq!((&found["V00"], &found["V22"]), (&json!("value 0"), &json!("value 22")));
}

#[test]
fn what_is_missing_is_reported_at_once_before_anything_is_built_or_called() {
    let bench = Bench::new(EVERYWHERE);
    let proxy = bench.proxy();
    for command in [&["deploy", "--yes"][..], &["plan"]] {
        let output = bench.through(&proxy, command).env("OUTER", "").output().unwrap();
        let (code, errors) = code_and_errors(&output);
        assert_eq!(code, Some(2), "{errors}");
        let shown = errors.replace("No such file or directory (os error 2)", "NOT THERE");
        let shown: Vec<&str> = shown.lines().filter(|line| !line.starts_with("using the endpoint")).collect();
        insta::assert_snapshot!("values_missing_here", shown.join("\n"));
    }
    assert_eq!(proxy.take_calls(), Vec::<String>::new());
}

#[test]
fn what_aws_does_not_have_is_reported_at_once_before_anything_is_built() {
    let bench = Bench::new(EVERYWHERE);
    std::fs::create_dir(bench.path("keys")).unwrap();
    bench.write("keys/token", "of the file");
    let output = run(&bench, &["deploy", "--local", "--yes", "--quiet"]);
    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, Some(1), "{errors}");
    insta::assert_snapshot!("values_missing_on_aws", errors);
    let (document, _) = {
        let output = run(&bench, &["plan", "--local", "--output", "json"]);
        (serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap(), output)
    };
    assert_eq!(document["error"]["kind"], "cloud");
}

/// The aws CLI reads no manifest.
#[test]
fn the_hints_for_the_aws_cli_are_about_the_region_that_was_looked_in() {
    let manifest = "app = 'shop'\nregion = 'eu-central-1'\n[functions.chat]\ncrate = 'unused'\n\
                    environment = { KEY = { ssm = '/other/a' } }\n";
    let bench = Bench::new(manifest);
    let proxy = bench.proxy();
    for (variable, flag, region) in [
        (None, None, "eu-central-1"),
        (Some("eu-west-1"), None, "eu-west-1"),
        (Some("eu-west-1"), Some("eu-north-1"), "eu-north-1"),
    ] {
        let mut command = bench.through(&proxy, &["plan"]);
        command.env_remove("AWS_REGION").env_remove("AWS_DEFAULT_REGION");
        command.envs(variable.map(|region| ("AWS_REGION", region)));
        command.args(flag.iter().flat_map(|region| ["--region", region]));
        let (code, errors) = code_and_errors(&command.output().unwrap());
        assert_eq!(code, Some(1), "{errors}");
        assert!(errors.contains(&format!("--value VALUE --region {region}`")), "{errors}");
    }
}

#[test]
fn a_secret_that_is_about_to_be_deleted_is_reported_in_the_words_of_aws() {
    let bench = Bench::new(EVERYWHERE);
    prepare(&bench);
    let delete = json!({ "SecretId": "shop/token", "RecoveryWindowInDays": 7 });
    Keys::of(&bench).json("secretsmanager.DeleteSecret", &delete);
    let (code, errors) = code_and_errors(&run(&bench, &["plan", "--local"]));
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("because it was marked for deletion"), "{errors}");
}

#[test]
fn url_build_and_destroy_do_not_ask_for_them() {
    let bench = Bench::new(EVERYWHERE);
    prepare(&bench);
    assert!(run(&bench, &["deploy", "--local", "--yes", &package()]).status.success());
    std::fs::remove_file(bench.path("keys/token")).unwrap();
    assert!(bench.good(&["url", "--local"]).starts_with("http://"));
    let (_, errors) = code_and_errors(&bench.run(&["build", "--local"]));
    assert!(errors.contains("unused") && !errors.contains("OUTER"), "{errors}");
    bench.good(&["destroy", "--local", "--yes"]);
    assert_eq!(bench.status(&["--local"]), "chat: not deployed\n");
}

#[test]
fn of_several_functions_only_those_that_were_chosen_need_theirs() {
    let bench = Bench::new(
        "app = 'shop'\n[functions.one]\ncrate = 'unused'\n[functions.two]\ncrate = 'unused'\n\
         environment = { KEY = { env = 'NOWHERE' } }\n",
    );
    assert_eq!(bench.status(&["one", "--local"]), "one: not deployed\n");
    assert!(bench.good(&["plan", "one", "--local", &package()]).contains("+ function shop-one"));
    assert_eq!(bench.run(&["plan", "two", "--local", &package()]).status.code(), Some(2));
}

#[test]
fn limits_hold_for_what_was_found() {
    let bench = Bench::new(EVERYWHERE);
    prepare(&bench);
    let long = "x".repeat(2100);
    let status = |value: &str| {
        let mut command = bench.command(&["plan", "--local"]);
        code_and_errors(&command.env("OUTER", value).output().unwrap())
    };
    bench.write("keys/token", &long);
    let (code, errors) = status(&long);
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("with what comes from outside `environment` takes 42"), "{errors}");
    let (code, errors) = status("two\nlines");
    assert_eq!(code, Some(2), "{errors}");
    assert!(
        errors.contains("`authorization` comes from the environment variable `OUTER`, which contains a control"),
        "{errors}"
    );
}

/// Of all line ends only one goes: what is kept in a file may end in an empty line.
#[test]
fn a_file_loses_one_line_end() {
    let manifest = "app = 'shop'\n[functions.chat]\ncrate = 'unused'\nenvironment = { KEY = { file = 'token' } }\n";
    let bench = Bench::new(manifest);
    for (text, expected) in [("a\n\n", "a\n"), ("b\r\n", "b"), ("c", "c"), (" d \n", " d ")] {
        bench.write("token", text);
        bench.good(&["deploy", "--local", "--yes", &package()]);
        assert_eq!(environment(&bench)["KEY"], expected);
    }
    bench.write("token", "\n");
    let (code, errors) = code_and_errors(&bench.run(&["plan", "--local"]));
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("`token`, which is empty"), "{errors}");
}

/// Only what does not exist can be created.
#[test]
fn a_file_that_exists_is_not_to_be_created() {
    let manifest = "app = 'shop'\n[functions.chat]\ncrate = 'unused'\nenvironment = { KEY = { file = 'token' } }\n";
    let bench = Bench::new(manifest);
    let plan = || code_and_errors(&bench.run(&["plan", "--local"]));
    let expected = |why: &str, hint: &str| {
        let (code, errors) = plan();
        assert_eq!(code, Some(2), "{errors}");
        let found: Vec<&str> = errors.lines().filter_map(|line| line.trim().strip_prefix("hint: ")).collect();
        assert!(errors.contains(why) && found == Vec::from_iter((!hint.is_empty()).then_some(hint)), "{errors}");
    };
    expected("`token`, which cannot be read: No such file", "create `token`; its path is relative to the manifest");
    bench.write("token", "");
    expected("`token`, which is empty", "create `token`; its path is relative to the manifest");
    std::fs::write(bench.path("token"), b"\xff\xfea\0").expect("it is written");
    expected("`token`, which is not valid UTF-8", "save only the value in `token`, as text in UTF-8");
    bench.write("token", &"x".repeat(5000));
    expected("`token`, which is longer than", "save only the value in `token`, as text in UTF-8");
    std::fs::remove_file(bench.path("token")).expect("it is deleted");
    std::fs::create_dir(bench.path("token")).expect("it is made");
    expected("`token`, which cannot be read: Is a directory", "");
}

const OF_A_FILE: &str = "app = 'shop'\n[functions.chat]\ncrate = 'unused'\nurl = { auth = 'none' }\nenv_file = 'secrets/.env'\n\
    environment = { LEVEL = 'info' }\ncheck = { method = 'POST', path = '/stream/chat', query = { query = 'hello' }, streams = true }\n";

#[test]
fn a_file_of_variables_is_read_whole_and_stays_out_of_sight() {
    let bench = Bench::new(OF_A_FILE);
    let missing = bench.run(&["plan", "--local", &package()]);
    let (code, errors) = code_and_errors(&missing);
    assert_eq!(code, Some(2), "{errors}");
    assert!(
        errors.contains("deploy.toml:5:1: `env_file` names the file `secrets/.env`, which cannot be read"),
        "{errors}"
    );
    bench.write_all(
        "secrets/.env",
        "# keys\nTOKEN='planted-value-4711' # a comment\nexport LEVEL=debug\nGREETING=\"a\\nb\"\n",
    );
    bench.good(&["deploy", "--local", &package()]);
    let expected = json!({"TOKEN": "planted-value-4711", "LEVEL": "info", "GREETING": "a\nb"});
    assert_eq!(environment(&bench), expected);
    assert_eq!(bench.good(&["plan", "--local", &package()]), "no changes\n");
    bench.write("secrets/.env", "TOKEN=planted-value-4712\n");
    let plan = bench.good(&["plan", "--local", &package()]);
    assert!(plan.contains("environment.GREETING") && plan.contains("environment.TOKEN changed"), "{plan}");
    assert!(!plan.contains("planted"), "{plan}");
    // Without the file, the rest is compared.
    std::fs::remove_file(bench.path("secrets/.env")).unwrap();
    let status = bench.good(&["status", "--local"]);
    assert!(status.contains("env_file not compared: ") && !status.contains('~'), "{status}");
}

#[test]
fn a_line_that_would_be_read_otherwise_elsewhere_is_named_without_its_value() {
    let bench = Bench::new(OF_A_FILE);
    for (line, expected) in [
        ("TOKEN=planted${MORE}", "which cannot be read: line 2: lamstream replaces no `${NAME}`"),
        ("planted", "which cannot be read: line 2: expected `NAME=value`"),
        ("AWS_REGION=planted", "which cannot be read: line 2: `AWS_REGION` is reserved"),
        ("TOKEN='planted", "which cannot be read: line 2: the quote has no end"),
    ] {
        bench.write_all("secrets/.env", &format!("LEVEL=debug\n{line}\n"));
        let (code, errors) = code_and_errors(&bench.run(&["deploy", "--local", &package()]));
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains(expected) && !errors.contains("planted"), "{expected}: {errors}");
    }
    let large = format!("TOKEN={}\n", "x".repeat(5000));
    bench.write("secrets/.env", &large);
    let (code, errors) = code_and_errors(&bench.run(&["deploy", "--local", &package()]));
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("expected at most 4096"), "{errors}");
    assert!(!bench.data().exists(), "no local cloud was started");
}
