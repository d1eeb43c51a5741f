//! Functions that are put into the local cloud by the Rust SDK, and asked through their URLs.

use crate::cloud::Cloud;
use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, FunctionUrlAuthType, InvokeMode, Runtime, State};
use std::io::Write;
use std::path::Path;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

pub(crate) fn lambda(cloud: &Cloud) -> aws_sdk_lambda::Client {
    let keys = &cloud.credentials;
    let credentials = Credentials::new(&keys.access_key_id, &keys.secret_access_key, None, None, "test");
    let config = aws_sdk_lambda::Config::builder().behavior_version(BehaviorVersion::latest());
    let config = config.region(Region::new(localcloud::REGION)).endpoint_url(&cloud.endpoint);
    aws_sdk_lambda::Client::from_conf(config.credentials_provider(credentials).build())
}

/// Deploys a function and gives its public streaming URL.
pub(crate) async fn deploy(cloud: &Cloud, name: &str, zip: Vec<u8>, variables: &[(&str, &str)]) -> String {
    let keys = &cloud.credentials;
    let credentials = Credentials::new(&keys.access_key_id, &keys.secret_access_key, None, None, "test");
    let config = aws_sdk_iam::Config::builder().behavior_version(BehaviorVersion::latest());
    let config = config.region(Region::new(localcloud::REGION)).endpoint_url(&cloud.endpoint);
    let iam = aws_sdk_iam::Client::from_conf(config.credentials_provider(credentials).build());
    let role = iam.create_role().role_name(name).assume_role_policy_document(TRUST).send().await.expect("a role");
    let role = role.role().expect("a role").arn().to_owned();
    let lambda = lambda(cloud);
    let code = FunctionCode::builder().zip_file(Blob::new(zip)).build();
    let pairs = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let environment = aws_sdk_lambda::types::Environment::builder().set_variables(Some(pairs.collect())).build();
    let create =
        lambda.create_function().function_name(name).runtime(Runtime::Providedal2023).handler("handler.handler");
    create.role(role).code(code).environment(environment).timeout(30).send().await.expect("a function");
    while lambda.get_function_configuration().function_name(name).send().await.expect("it is there").state()
        != Some(&State::Active)
    {}
    let permit = || lambda.add_permission().function_name(name).principal("*");
    let none = FunctionUrlAuthType::None;
    let url = permit().statement_id("url").action("lambda:InvokeFunctionUrl").function_url_auth_type(none.clone());
    url.send().await.expect("a statement");
    let invoke = permit().statement_id("invoke").action("lambda:InvokeFunction").invoked_via_function_url(true);
    invoke.send().await.expect("a statement");
    let url = lambda.create_function_url_config().function_name(name).auth_type(none);
    url.invoke_mode(InvokeMode::ResponseStream).send().await.expect("a URL").function_url
}

/// A zip of texts and files; all may be executed.
pub(crate) fn zipped<'a>(entries: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(name, zip::write::SimpleFileOptions::default().unix_permissions(0o755)).expect("an entry");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.finish().expect("a zip").into_inner()
}

/// Takes the bootstrap out of the repository's package.
pub(crate) fn bootstrap_in(directory: &Path) -> std::path::PathBuf {
    let zip = std::fs::File::open(crate::support::bench::function_zip()).expect("the package");
    zip::ZipArchive::new(zip).expect("a zip").extract(directory).expect("it unpacks");
    directory.join("bootstrap")
}
