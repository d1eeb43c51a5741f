//! Credentials and region come from where every AWS tool looks for them, and the first source that has them is used.

use crate::CHAT;
use crate::support::bench::{Bench, said};

/// The region that a status was looked up in, with a profile of its own region behind everything else.
fn region(manifest: &str, variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let bench = Bench::new(&format!("{manifest}{CHAT}"));
    let found = bench.aws_variables();
    let value = |name: &str| &found.iter().find(|(found, _)| found == name).expect("it is exported").1;
    std::fs::create_dir_all(bench.path("home/.aws")).expect("a home");
    let config = format!("[profile dev]\nregion = us-west-1\nendpoint_url = {}\n", value("AWS_ENDPOINT_URL"));
    let (id, secret) = (value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"));
    let keys = format!("[dev]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    bench.write("home/.aws/config", &config);
    bench.write("home/.aws/credentials", &keys);
    let mut command = bench.command(&[&["status", "--output", "json"], arguments].concat());
    let output = command.envs(variables.iter().copied()).output().expect("lamstream runs");
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("using the endpoint http://127.0.0.1:"),
        "{}",
        said(&output)
    );
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
    document["region"].as_str().expect("a region").to_owned()
}

#[test]
fn a_profile_gives_credentials_endpoint_and_region() {
    assert_eq!(region("", &[], &["--profile", "dev"]), "us-west-1");
    assert_eq!(region("", &[("AWS_PROFILE", "dev")], &[]), "us-west-1");
}

#[test]
fn a_flag_counts_before_the_environment_the_manifest_and_the_profile() {
    let (manifest, profile) = ("region = \"eu-west-1\"\n", ["--profile", "dev"]);
    assert_eq!(region(manifest, &[], &profile), "eu-west-1");
    let variables = [("AWS_REGION", "eu-north-1")];
    assert_eq!(region(manifest, &variables, &profile), "eu-north-1");
    assert_eq!(region(manifest, &variables, &["--profile", "dev", "--region", "ap-south-1"]), "ap-south-1");
}
