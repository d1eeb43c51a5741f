//! One table of scenarios on three clouds: in memory, the local cloud, and moto. All must agree on what exists after
//! each step, except for the short list of what moto gets wrong.

#[path = "../support/mod.rs"]
mod support;

mod differences;
mod scenario;

use lamstream::apply::{Artifact, Cloud, Current, Delivery, NoTrial, ReleaseSource, apply};
use lamstream::aws::{Access, Account, Place};
use lamstream::plan::plan;
use lamstream::stack::{Names, Stack};
use scenario::{BEYOND_MOTO, SCENARIOS, Step, Wanted};
use std::path::Path;
use std::process::Command;
use support::bench::{Bench, LAMSTREAM, Server};
use support::memory::{Memory, no_one};
use support::python::python;

const REGION: &str = "eu-central-1";

/// Walks through the steps of a scenario; after each one the cloud holds exactly what was wanted, and has nothing to do.
async fn walk(title: &str, cloud: &impl Cloud, steps: &[Step], forgive: fn(&mut Stack)) {
    for (number, step) in steps.iter().enumerate() {
        let Wanted { mut target, zip } = step.wanted(cloud.names());
        let mut current = cloud.observe().await.unwrap_or_else(|error| panic!("{title}, step {number}: {error}"));
        let source = ReleaseSource::Zip(Artifact { zip, bucket: None, origin: None });
        let delivery = Delivery { source: &source, ..Delivery::of(&target) };
        let plan_to = plan(current.stack(), &target);
        apply(&mut current, &plan_to, &delivery, &mut NoTrial, &no_one())
            .await
            .unwrap_or_else(|error| panic!("{title}, step {number}: {error:#?}"));
        let mut found = cloud.observe().await.expect("it can be read again").stack().clone();
        forgive(&mut found);
        forgive(&mut target);
        assert_eq!(found, target, "{title}, step {number}");
        assert!(plan(&found, &target).is_empty(), "{title}, step {number}: something is left to do");
    }
}

async fn walk_all<'a>(
    account: &Account,
    scenarios: impl IntoIterator<Item = &'a (&'a str, &'a [Step])>,
    forgive: fn(&mut Stack),
) {
    let id = account.id().await.expect("the cloud says who we are");
    for (title, steps) in scenarios {
        let place = Place::new(account, names(title, &id));
        walk(title, &place, steps, forgive).await;
    }
}

/// Every scenario has an app of its own, so that none finds what another left.
fn names(title: &str, account: &str) -> Names {
    Names {
        app: title.replace(' ', "-"),
        stage: None,
        function: "chat".into(),
        region: REGION.into(),
        account: account.into(),
        log_group: None,
    }
}

#[tokio::test]
async fn in_memory() {
    for (title, steps) in SCENARIOS.iter().chain(BEYOND_MOTO) {
        let cloud = Memory::with(Stack::empty(names(title, "123456789012")));
        walk(title, &cloud, steps, |_| {}).await;
    }
}

#[tokio::test]
async fn on_the_local_cloud() {
    let bench = Bench::new("");
    let data = bench.data();
    let server = Server::start(Command::new(LAMSTREAM).args(["local", "run", "--data"]).arg(&data));
    let credentials = localcloud::credentials(&data).expect("the key pair");
    let access = Access::Local {
        endpoint: server.address.clone(),
        access_key_id: credentials.access_key_id,
        secret_access_key: credentials.secret_access_key,
        region: REGION.into(),
    };
    walk_all(&Account::open(access).await.expect("an account"), SCENARIOS.iter().chain(BEYOND_MOTO), |_| {}).await;
}

#[tokio::test]
async fn on_moto() {
    let Some(bin) = python() else { return };
    let server = Server::start(
        Command::new(bin.join("python"))
            .args(["-c", include_str!("moto_server.py")])
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .stderr(std::process::Stdio::null()),
    );
    let access = Access::Local {
        endpoint: server.address.clone(),
        access_key_id: "testing".into(),
        secret_access_key: "testing".into(),
        region: REGION.into(),
    };
    let account = Account::open(access).await.expect("an account");
    walk_all(&account, SCENARIOS, differences::forgive_moto).await;
    let own = account.id().await.expect("an account");
    for (title, _) in SCENARIOS {
        Place::new(&account, names(title, &own)).sweep(None).await.expect("a look");
    }
    assert_eq!(buckets(&bin, &server.address, "print(names())"), "[]", "a bucket of ours stays");
    what_was_left_is_swept(&account, &bin, &server.address).await;
    by_a_bucket_of_the_users(&account, &bin, &server.address).await;
}

/// A bucket of ours goes although there is no function, also if a killed run did not tag it. One with anything else in it
/// stays.
async fn what_was_left_is_swept(account: &Account, bin: &Path, endpoint: &str) {
    let place = Place::new(account, names("left", &account.id().await.expect("an account")));
    assert!(place.sweep(None).await.expect("a look").is_empty());
    let own = place.names();
    let whole = format!("{}/{}/{}", own.app, own.stage.as_deref().unwrap_or_default(), own.function);
    let name = format!(
        "import hashlib; name = 'lamstream-{}-{}-' + hashlib.sha256(b'{whole}').hexdigest()[:8]",
        own.account, own.region
    );
    let make = "s3.create_bucket(Bucket=name, CreateBucketConfiguration={'LocationConstraint': 'eu-central-1'})";
    let put = |key: &str| format!("s3.put_object(Bucket=name, Key='{key}', Body=b'x')");
    let (package, other) = (put("package.zip"), put("other"));
    buckets(bin, endpoint, &format!("{name}\n{make}\n{package}"));
    assert_eq!(place.sweep(None).await.expect("a look").len(), 1, "an untagged bucket with our key alone is ours");
    buckets(bin, endpoint, &format!("{name}\n{make}\n{package}\n{other}"));
    assert!(place.sweep(None).await.expect("a look").is_empty());
    buckets(bin, endpoint, &format!("{name}\ns3.delete_object(Bucket=name, Key='other')"));
    let tags = own.owner_tags();
    let tags: Vec<String> = tags.iter().map(|(key, value)| format!("{{'Key': '{key}', 'Value': '{value}'}}")).collect();
    let tag = format!("s3.put_bucket_tagging(Bucket=name, Tagging={{'TagSet': [{}]}})", tags.join(", "));
    buckets(bin, endpoint, &format!("{name}\n{tag}"));
    assert_eq!(place.sweep(None).await.expect("a look").len(), 1);
    assert_eq!(buckets(bin, endpoint, "print(names())"), "[]", "a bucket of ours stays");
}

/// What stays of a package in a bucket that the manifest names: the bucket.
async fn by_a_bucket_of_the_users(account: &Account, bin: &Path, endpoint: &str) {
    let make = "s3.create_bucket(Bucket='mine', CreateBucketConfiguration={'LocationConstraint': 'eu-central-1'})";
    buckets(bin, endpoint, make);
    let place = Place::new(account, names("by a bucket", &account.id().await.expect("an account")));
    let step = Step::Function { code: "large one", keys: "" };
    let Wanted { target, zip } = step.wanted(place.names());
    let source = ReleaseSource::Zip(Artifact { zip, bucket: Some("mine".into()), origin: None });
    let mut current = place.observe().await.expect("nothing");
    let delivery = Delivery { source: &source, ..Delivery::of(&target) };
    let plan = plan(current.stack(), &target);
    apply(&mut current, &plan, &delivery, &mut NoTrial, &no_one()).await.expect("a deploy");
    let left = buckets(bin, endpoint, "print(names(), s3.list_objects_v2(Bucket='mine')['KeyCount'])");
    assert_eq!(left, "['mine'] 0");
}

/// What a line of Python says, that has boto3's client of S3 and the names of all buckets.
fn buckets(bin: &Path, endpoint: &str, line: &str) -> String {
    let script = format!(
        "import boto3\n\
         s3 = boto3.client('s3', endpoint_url='{endpoint}', region_name='eu-central-1', aws_access_key_id='testing', \
         aws_secret_access_key='testing')\n\
         names = lambda: [bucket['Name'] for bucket in s3.list_buckets()['Buckets']]\n{line}\n"
    );
    let output = Command::new(bin.join("python")).args(["-c", &script]).output().expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
