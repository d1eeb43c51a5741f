//! The environment and the AWS configuration files, right, wrong and empty: what cannot be used is named in one line,
//! and nothing is taken for something else.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::CHAT;
use crate::support::bench::{Bench, said};
use crate::support::recorder::Recorder;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output};

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT"), ("AWS_SECRET_ACCESS_KEY", "secret")];

/// A command none of whose calls can leave this machine.
fn confined(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = bench.command(arguments);
    command.env("HTTP_PROXY", "http://127.0.0.1:1").env("HTTPS_PROXY", "http://127.0.0.1:1");
    command.env("LAMSTREAM_ATTEMPT_TIMEOUT", "0.05").env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("utf-8")
}

fn refused(bench: &Bench, variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let mut command = confined(bench, &[&["url"], arguments].concat());
    let output = command.env("AWS_REGION", "eu-central-1").envs(variables.iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{variables:?} {arguments:?}: {}", said(&output));
    assert!(output.stdout.is_empty());
    let errors = errors(&output);
    assert_eq!(errors.lines().filter(|line| !line.starts_with("hint: ")).count(), 1, "{errors}");
    errors
}

#[test]
fn a_malformed_variable_is_named_in_one_line() {
    let bench = Bench::new(CHAT);
    for (name, value, words) in [
        ("AWS_ENDPOINT_URL", "localhost:4566", "it has no scheme"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:99999", "invalid port number"),
        ("AWS_ENDPOINT_URL", "HTTP://192.0.2.2:9999", "unencrypted"),
        ("AWS_ENDPOINT_URL_S3", "nonsense", "it has no scheme"),
        ("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "http://[", "is not an address"),
        ("AWS_REGION", "eu central 1", "is not a region such as"),
        ("AWS_REGION", "x.evil.example/", "is not a region such as"),
        ("AWS_USE_FIPS_ENDPOINT", "maybe", "is not `true` or `false`"),
        ("AWS_MAX_ATTEMPTS", "-1", "is not a number above 0"),
        ("AWS_RETRY_MODE", "hard", "is not one of"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "*", "is not a path"),
        ("AWS_SESSION_TOKEN", "planted\nvalue", "which is not shown"),
    ] {
        let variables: Vec<(&str, &str)> = KEYS.into_iter().chain([(name, value)]).collect();
        let message = refused(&bench, &variables, &[]);
        assert!(message.starts_with(&format!("error: cannot use `{name}`: ")), "{message}");
        assert!(message.contains(words) && !message.contains("planted"), "{message}");
    }
    let userinfo = refused(&bench, &[("AWS_ENDPOINT_URL", "https://planted:word@example.com")], &[]);
    assert!(userinfo.contains("a password") && !userinfo.contains("planted"), "{userinfo}");
    let region = refused(&bench, &KEYS, &["--region", "../x"]);
    assert!(region.contains("cannot use `--region`: `../x` is not a region"), "{region}");
    let local = bench.run(&["url", "--local", "--region", "../x"]);
    assert!(local.status.code() == Some(2) && errors(&local).contains("`--region`"), "{}", said(&local));

    let mut command = confined(&bench, &["url"]);
    let output = command.env("AWS_CONFIG_FILE", OsStr::from_bytes(b"/\xff")).output().unwrap();
    assert_eq!(
        errors(&output),
        "error: cannot use `AWS_CONFIG_FILE`: its value is not valid UTF-8; set it again, or unset it\n"
    );
}

#[test]
fn empty_variables_and_settings_are_as_unset() {
    let recorder = Recorder::start();
    let bench = Bench::new(&format!("region = \"eu-south-1\"\n{CHAT}"));
    std::fs::create_dir_all(bench.path("home/.aws")).unwrap();
    bench.write(
        "home/.aws/config",
        "[default]\nendpoint_url =\nregion =\nservices = s\n[services s]\nlambda =\n  endpoint_url =\n",
    );
    let mut command = bench.command(&["url"]);
    command.envs(KEYS).env("AWS_ENDPOINT_URL", &recorder.address);
    for name in [
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_ENDPOINT_URL_LAMBDA",
        "AWS_ENDPOINT_URL_IAM",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_SESSION_TOKEN",
        "AWS_MAX_ATTEMPTS",
        "AWS_RETRY_MODE",
        "AWS_CA_BUNDLE",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "LAMSTREAM_ATTEMPT_TIMEOUT",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ] {
        command.env(name, "");
    }
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{}/ask/\n", recorder.address), "{}", said(&output));
    let signed = recorder.take();
    assert!(signed.iter().all(|signed| signed.region == "eu-south-1" && signed.key == "AKIDENVIRONMENT"), "{signed:?}");

    // What the SDK reads by itself on the way to a role.
    let keys = "aws_access_key_id = AKIDBASE\naws_secret_access_key = s\n";
    let role = "role_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n";
    bench.write("home/.aws/config", &format!("[profile base]\n{keys}[profile chain]\n{role}"));
    let mut command = bench.command(&["url", "--profile", "chain"]);
    command.env("AWS_ENDPOINT_URL", &recorder.address).env("AWS_ENDPOINT_URL_STS", "").env("AWS_CONFIG_FILE", " ");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(recorder.take().iter().any(|signed| signed.key == "KEYASSUMED"));

    let mut command = confined(&bench, &["url"]);
    let output = command.envs(KEYS).env("AWS_ENDPOINT_URL", "").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(!errors(&output).contains("endpoint "), "AWS itself is called: {}", said(&output));
}

#[test]
fn a_proxy_is_never_used_for_this_machine() {
    let recorder = Recorder::start();
    let bench = Bench::new(CHAT);
    let mut command = confined(&bench, &["url", "--region", "eu-central-1"]);
    let output = command.envs(KEYS).env("AWS_ENDPOINT_URL", recorder.address.replace("http", "HTTP")).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(recorder.take().len(), 1);
}

#[test]
fn an_unknown_profile_is_named_with_those_that_exist() {
    let bench = Bench::new(CHAT);
    std::fs::create_dir_all(bench.path("home/.aws")).unwrap();
    bench.write(
        "home/.aws/config",
        "[default]\nregion = eu-central-1\n[profile one]\nregion = eu-central-1\n[two]\na = b\n",
    );
    bench.write("home/.aws/credentials", "[three]\naws_access_key_id = a\naws_secret_access_key = b\n");
    let known = "`default`, `one`, `three`";
    for (variables, arguments) in [
        (vec![], &["--profile", "nope"][..]),
        (KEYS.to_vec(), &["--profile", "nope"][..]),
        (vec![("AWS_PROFILE", "nope")], &[]),
        (vec![("AWS_DEFAULT_PROFILE", "nope")], &[]),
        (vec![("AWS_PROFILE", "nope"), KEYS[0], KEYS[1]], &[]),
    ] {
        let message = refused(&bench, &variables, arguments);
        assert!(message.contains("cannot use profile `nope`") && message.contains(known), "{message}");
        assert!(message.contains("home/.aws/config`") && message.contains("home/.aws/credentials`"), "{message}");
    }
    let unprefixed = refused(&bench, &[], &["--profile", "two"]);
    assert!(unprefixed.contains("write `[profile two]` instead of `[two]`"), "{unprefixed}");
    let empty = refused(&bench, &KEYS, &["--profile", ""]);
    assert!(empty.contains("`--profile`: it is empty"), "{empty}");
    let two = refused(&bench, &[("AWS_PROFILE", "one"), ("AWS_DEFAULT_PROFILE", "three")], &[]);
    assert!(two.contains("they name different profiles, `one` and `three`"), "{two}");

    bench.write("elsewhere", "[four]\naws_access_key_id = a\naws_secret_access_key = b\n");
    let elsewhere = bench.path("elsewhere").display().to_string();
    let message = refused(&bench, &[("AWS_SHARED_CREDENTIALS_FILE", &elsewhere)], &["--profile", "three"]);
    assert!(message.contains(&format!("`{elsewhere}`: `default`, `four`, `one`")), "{message}");
}

#[test]
fn a_profile_without_usable_credentials_says_why() {
    let bench = Bench::new(CHAT);
    std::fs::create_dir_all(bench.path("home/.aws")).unwrap();
    let role = "role_arn = arn:aws:iam::123456789012:role/r";
    bench.write(
        "home/.aws/config",
        &format!(
            "[profile bare]\nregion = eu-central-1\n\
             [profile half]\naws_access_key_id = a\n\
             [profile lost]\n{role}\nsource_profile = gone\n\
             [profile round]\n{role}\nsource_profile = round2\n[profile round2]\n{role}\nsource_profile = round\n\
             [profile failing]\ncredential_process = sh -c 'echo out of order >&2; exit 3'\n\
             [profile session]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n\
             [sso-session s]\nsso_region = eu-central-1\nsso_start_url = https://planted.example/start\n\
             [profile console]\nlogin_session = arn:aws:iam::123456789012:user/jane\n\
             [profile fips]\nuse_fips_endpoint = maybe\n\
             [profile place]\nregion = ../x\n\
             [profile point]\nregion = eu-central-1\nendpoint_url = localhost:1\n"
        ),
    );
    for (profile, words) in [
        ("bare", "cannot use profile `bare`: it has no credentials; expected `aws_access_key_id`"),
        ("half", "cannot use profile `half`: "),
        ("lost", "gone"),
        ("round", "infinite loop"),
        ("failing", "out of order"),
        ("session", "log in with `aws sso login --profile session`"),
        ("console", "log in with `aws login --profile console`"),
        ("fips", "cannot use the `use_fips_endpoint` of profile `fips`: `maybe` is not"),
        ("point", "cannot use the `endpoint_url` of profile `point`: `localhost:1` is not an address"),
    ] {
        for variables in [&[][..], &KEYS] {
            let message = refused(&bench, variables, &["--profile", profile]);
            assert!(message.contains(words), "{message}");
            for other in ["IMDS", "imds", "EC2", "cargo feature", "metadata"] {
                assert!(!message.contains(other), "{message}");
            }
        }
    }
    let output = confined(&bench, &["url", "--profile", "place"]).output().unwrap();
    assert!(errors(&output).contains("cannot use the `region` of profile `place`: `../x`"), "{}", said(&output));
    for (name, other) in [
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"),
    ] {
        let message = refused(&bench, &[(name, "value")], &[]);
        assert!(message.contains(&format!("cannot use `{name}`: `{other}` is not set")), "{message}");
    }
    bench.write("home/.aws/config", "[profile bare\n");
    let message = refused(&bench, &[], &["--profile", "bare"]);
    assert!(message.contains("home/.aws/config on line 1"), "{message}");
}

/// The command is named once, with the profile, however that was named, and no other way of logging in beside it.
#[test]
fn how_to_log_in_is_said_once_and_with_the_profile() {
    let bench = Bench::new(CHAT);
    std::fs::create_dir_all(bench.path("home/.aws")).unwrap();
    let role = "role_arn = arn:aws:iam::123456789012:role/r\n";
    let sso = "sso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n";
    let console = "login_session = arn:aws:iam::123456789012:user/jane\n";
    bench.write(
        "home/.aws/config",
        &format!(
            "[profile sso]\n{sso}[profile console]\n{console}\
             [profile role]\n{role}source_profile = sso\n[profile bare]\nregion = eu-central-1\n\
             [sso-session s]\nsso_region = eu-central-1\nsso_start_url = https://planted.example/start\n"
        ),
    );
    for (profile, login) in [
        ("sso", "aws sso login --profile sso"),
        ("console", "aws login --profile console"),
        ("role", "aws sso login --profile sso"),
    ] {
        for (variables, arguments) in [
            (vec![], &["--profile", profile][..]),
            (vec![("AWS_PROFILE", profile)], &[]),
            (vec![("AWS_DEFAULT_PROFILE", profile)], &[]),
        ] {
            let mut command = confined(&bench, &["plan"]);
            let output = command.args(arguments).envs(variables).env("AWS_REGION", "eu-central-1").output().unwrap();
            let told = errors(&output);
            assert_eq!(output.status.code(), Some(2), "{told}");
            assert!(told.contains(&format!("`{login}`")), "{told}");
            assert_eq!((told.matches("aws ").count(), told.matches("--profile --").count()), (1, 0), "{told}");
            assert!(told.contains("hint: ") && told.contains("`--local`"), "{told}");
        }
    }
    for (variables, arguments) in [(vec![], &["--profile", "bare"][..]), (vec![("AWS_PROFILE", "bare")], &[])] {
        let output = confined(&bench, &["plan"]).args(arguments).envs(variables).output().unwrap();
        let told = errors(&output);
        assert!(told.contains("`aws configure --profile bare`"), "{told}");
    }
}

const VARIABLES: [&str; 28] = [
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_LAMBDA",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_MAX_ATTEMPTS",
    "AWS_RETRY_MODE",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "LAMSTREAM_ATTEMPT_TIMEOUT",
    "AWS_AUTH_SCHEME_PREFERENCE",
];

fn value() -> impl Strategy<Value = OsString> {
    let usual = prop::sample::select(vec![
        "",
        " ",
        "true",
        "TRUE",
        "1",
        "0",
        "-1",
        "eu-central-1",
        "../x",
        "dev",
        "default",
        "/nowhere",
        "/dev/null",
        "/",
        "~",
        "~/x",
        "http://127.0.0.1:1",
        "http://127.0.0.1:1/path",
        "HTTP://[::1]:1",
        "http://[::1",
        "http://",
        "https://",
        "127.0.0.1:1",
        "http://a@b",
        "*",
        "/path?query",
        "inf",
        "nan",
        "1e300",
        "1e-300",
        "standard",
        "legacy",
        "arn:aws:iam::123456789012:role/r",
        "\u{1b}[2J",
        "é",
        "a\nb",
    ]);
    let usual = usual.prop_map(OsString::from);
    let any = prop::collection::vec(1_u8.., 0..12).prop_map(|bytes| OsStr::from_bytes(&bytes).to_owned());
    prop_oneof![4 => usual, 1 => any]
}

/// Whatever the environment says, the run ends with an exit code of ours and with words.
#[test]
fn no_environment_makes_it_panic() {
    let bench = Bench::new(CHAT);
    std::fs::create_dir_all(bench.path("home/.aws")).unwrap();
    bench.write(
        "home/.aws/config",
        "[profile dev]\nregion = eu-central-1\naws_access_key_id = a\naws_secret_access_key = b\n",
    );
    let variables = prop::collection::btree_map(prop::sample::select(VARIABLES.to_vec()), value(), 0..6);
    let mut runner = TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() });
    let checked = runner.run(&(any::<bool>(), variables), |(signs, variables)| {
        let mut command = confined(&bench, &["url"]);
        // Without keys, a run seldom comes as far as the SDK's clients.
        if signs {
            command.envs(KEYS).env("AWS_REGION", "eu-central-1");
        }
        let output = command.envs(&variables).output().unwrap();
        prop_assert!(matches!(output.status.code(), Some(1 | 2)), "{variables:?}: {}", said(&output));
        let errors = errors(&output);
        prop_assert!(errors.contains("error: cannot ") && !errors.contains("panicked"), "{variables:?}: {errors}");
        // What is not ours is not taken for an order, and no structure of a program is shown.
        prop_assert!(!errors.contains('\u{1b}') && !errors.contains(" { "), "{variables:?}: {errors}");
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
}
