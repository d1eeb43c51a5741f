//! Every call of every command, held against the policies that docs/permissions.md says are enough.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

mod calls;
mod document;
mod printed;

use crate::support::aws::Keys;
use crate::support::bench::{Bench, said};
use crate::support::proxy::Proxy;
use calls::{MORE, More, Need};
use document::{Document, Policy};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// A new function with all that a manifest can ask for; then all of it different; then a role that is brought.
const FIRST: &str = "url = { auth = 'none' }\nconcurrency = 5\nprovisioned_concurrency = 1\ndescription = 'before'\ntags = { team = 'web' }\n\
    keep_releases = 1\nlog = { retention_days = 7 }\nrole.statements = [{ actions = ['s3:GetObject'], resources = ['*'] }]\n\
    role.managed_policies = ['arn:aws:iam::aws:policy/ReadOnlyAccess']";
const SECOND: &str = "url = { auth = 'aws-iam', mode = 'buffered' }\ndescription = 'after'\ntags = { owner = 'me' }\n\
    keep_releases = 1\nmemory = 256\nlog = { retention_days = 'never' }\nrole.permissions_boundary = \
    'arn:aws:iam::aws:policy/PowerUserAccess'\nrole.statements = [{ actions = ['s3:PutObject'], resources = ['*'] }]\n\
    role.managed_policies = ['arn:aws:iam::aws:policy/AmazonS3FullAccess']";
const BROUGHT: &str = "role.arn = 'arn:aws:iam::000000000000:role/lamstream/shop/brought'\nprovisioned_concurrency = 1";
const PUBLIC: &str = "url = { auth = 'none' }";
const SIGNED: &str = "url = { auth = 'aws-iam' }\nrole.managed_policies = ['arn:aws:iam::aws:policy/ReadOnlyAccess']";

/// Which values come from AWS in which commands is said by themselves, so that they are counted by themselves.
const VALUES: [&str; 3] = ["ssm:GetParameters", "secretsmanager:GetSecretValue", "kms:Decrypt"];

/// The commands that each policy is for, in the words of its heading. All others but the last
/// rely on the first.
const POLICIES: [(&str, &[&str]); 4] = [
    ("Reading", &["plan", "status", "url", "releases", "logs", "stats", "verify", "stages"]),
    ("Deploying", &["deploy", "rollback", "promote", "abort", "invoke"]),
    ("Destroying", &["destroy"]),
    ("Storing values", &["secret"]),
];

/// A bench, and all that its commands needed.
struct Watch {
    bench: Bench,
    proxy: Proxy,
    region: String,
    needs: BTreeMap<String, BTreeSet<Need>>,
    /// What `policy` has printed for each manifest: with its names, and for all stages.
    printed: [Vec<Policy>; 2],
}

impl Watch {
    fn new(needs: BTreeMap<String, BTreeSet<Need>>, printed: [Vec<Policy>; 2]) -> Watch {
        let bench = Bench::new("");
        bench.good(&["local", "start", "--role-propagation", "0s"]);
        let region = Keys::of(&bench).region;
        let proxy = bench.proxy();
        bench.write("witness", "");
        bench.write("value", "what `secret set` reads");
        Watch { bench, proxy, region, needs, printed }
    }

    /// What the function is from now on.
    fn function(&mut self, says: &str) {
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        let witness = self.bench.path("witness");
        let function =
            format!("crate = 'unused'\narchitecture = '{architecture}'\nenvironment.WITNESS = {witness:?}\n{says}");
        self.bench.write("deploy.toml", &format!("app = 'shop'\n[functions.chat]\n{function}\n"));
        for (nth, more) in [&[][..], &["--all-stages"]].into_iter().enumerate() {
            let policy = self.policy(more);
            self.printed[nth].push(policy);
        }
    }

    /// What `policy` prints for all commands that work on functions.
    fn policy(&self, more: &[&str]) -> Policy {
        let commands =
            lamstream::policy::COMMANDS.into_iter().filter(|command| !["secret", "doctor"].contains(command));
        let commands: Vec<&str> = commands.flat_map(|command| ["--command", command]).collect();
        let account = ["policy", "--account", calls::ACCOUNT];
        let output = self.bench.through(&self.proxy, &[&account, &commands[..], more].concat()).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        Policy::of(&serde_json::from_slice(&output.stdout).unwrap(), 0)
    }

    /// Runs a command, and writes down what it needed.
    fn run(&mut self, code: i32, arguments: &[&str]) {
        self.proxy.take_calls();
        let stdin = std::fs::File::open(self.bench.path("value")).unwrap();
        let output = self.bench.through(&self.proxy, arguments).stdin(stdin).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        let needed = self.needs.entry(arguments[0].to_owned()).or_default();
        needed.extend(self.proxy.take_requests().iter().flat_map(calls::of));
        // Only the function can tell what came by its URL: it is another address.
        if std::fs::read_to_string(self.bench.path("witness")).unwrap().contains("signed") {
            needed.extend(calls::of_signed_request("shop-chat", &self.region));
        }
        self.bench.write("witness", "");
    }

    fn deploy(&mut self, code: &str, more: &[&str]) {
        let package = self.package(code);
        self.run(0, &[&["deploy", "--yes", &package], more].concat());
    }

    fn package(&self, code: &str) -> String {
        let path = self.bench.path(code);
        let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        zip.start_file("bootstrap", options).unwrap();
        zip.write_all(include_bytes!("../fixtures/witness.py")).unwrap();
        writeln!(zip, "# {code}").unwrap();
        zip.finish().unwrap();
        format!("--package={}", path.display())
    }

    /// A role with a trust that is not ours.
    fn make_role(&self, name: &str) {
        let trust = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A\
                     %7B%22Service%22%3A%5B%22lambda.amazonaws.com%22%2C%22edgelambda.amazonaws.com%22%5D%7D%2C%22Action%22%3A\
                     %22sts%3AAssumeRole%22%7D%5D%7D";
        let role = format!("Action=CreateRole&Version=2010-05-08&RoleName={name}&Path=%2Flamstream%2Fshop%2F");
        Keys::of(&self.bench).query("iam", &format!("{role}&AssumeRolePolicyDocument={trust}"));
    }
}

/// From nothing to everything, and to everything else.
fn changes(watch: &mut Watch) {
    watch.function(FIRST);
    watch.run(1, &["url"]);
    watch.run(1, &["releases"]);
    let package = watch.package("one");
    watch.run(0, &["plan", &package]);
    watch.deploy("one", &[]);
    watch.run(0, &["invoke", "chat", "-v"]);
    watch.function(SECOND);
    watch.deploy("two", &[]);
    watch.function(FIRST);
    watch.deploy("three", &[]);
    watch.deploy("four", &[]);
    watch.function(SECOND);
    watch.run(0, &["plan", &package]);
    for command in ["status", "url", "releases", "verify", "stages"] {
        watch.run(0, &[command]);
    }
    watch.run(0, &["logs", "chat"]);
    watch.run(0, &["stats"]);
    watch.make_role("brought");
    watch.function(BROUGHT);
    watch.deploy("four", &[]);
    watch.run(0, &["destroy", "--yes"]);
}

/// There and back, at a URL that only lets those in who sign.
fn moves(watch: &mut Watch) {
    watch.function(SIGNED);
    watch.deploy("one", &[]);
    watch.deploy("two", &[]);
    watch.run(0, &["invoke", "chat"]);
    watch.run(0, &["rollback", "--yes"]);
    watch.run(1, &["rollback", "--yes", "--to", "99"]);
    for end in ["promote", "abort"] {
        watch.deploy(&format!("{end} this"), &["--shift", "10"]);
        watch.run(0, &[end]);
    }
    watch.deploy("step by step", &["--shift", "10", "--for", "300ms"]);
    watch.run(0, &["destroy", "--yes"]);
}

/// A role and a log group of our names that exist already, and values from AWS.
fn takes_over(watch: &mut Watch) {
    let keys = Keys::of(&watch.bench);
    let put = serde_json::json!({ "Name": "/shop/token", "Value": "a parameter", "Type": "SecureString" });
    keys.json("AmazonSSM.PutParameter", &put);
    let token = "0123456789abcdef0123456789abcdef";
    let secret = serde_json::json!({ "Name": "shop/token", "SecretString": "a secret", "ClientRequestToken": token });
    keys.json("secretsmanager.CreateSecret", &secret);
    watch.make_role(&format!("lamstream-{}-shop-chat", watch.region));
    let values = "environment.PARAMETER = { ssm = '/shop/token' }\nenvironment.SECRET = { secret = 'shop/token' }";
    watch.function(&format!("{PUBLIC}\ntags = {{ team = 'web' }}\n{values}"));
    watch.deploy("one", &["--adopt"]);
    // Its tags show whether it belongs to a function that the manifest no longer names.
    watch.make_role(&format!("lamstream-{}-shop-old", watch.region));
    watch.run(0, &["status"]);
    let package = watch.package("one");
    watch.run(0, &["plan", &package]);
    watch.deploy("one", &[]);
    watch.run(0, &["destroy", "--yes"]);
    for secret in [&["set", "KEY"][..], &["list"], &["delete", "KEY", "--yes"]] {
        watch.run(0, &[&["secret"], secret].concat());
    }
}

fn watched() -> Watch {
    let mut watch = Watch::new(BTreeMap::new(), Default::default());
    changes(&mut watch);
    for scenario in [moves, takes_over] {
        watch = Watch::new(std::mem::take(&mut watch.needs), std::mem::take(&mut watch.printed));
        scenario(&mut watch);
    }
    watch
}

fn actions<'a>(needs: impl IntoIterator<Item = &'a Need>) -> BTreeSet<String> {
    needs.into_iter().map(|need| need.action.clone()).collect()
}

#[test]
fn the_policies_allow_what_the_commands_do_and_no_more() {
    let document = Document::read();
    let Watch { needs, region, printed, .. } = &watched();
    let mut wrong = printed::wrong(&document, region, needs, printed);
    let is_value = |need: &&Need| VALUES.contains(&need.action.as_str());
    let of = |commands: &[&str]| -> BTreeSet<Need> {
        let commands = commands.iter().flat_map(|command| &needs[*command]);
        commands.filter(|need| !is_value(need)).cloned().collect()
    };
    let [reading, values] = ["Reading", "Values"].map(|heading| document.policy(heading, region));
    for (heading, commands) in POLICIES {
        let policy = document.policy(heading, region);
        assert!(policy.size <= 6144, "{heading} has {} characters", policy.size);
        let needed = of(commands);
        let refused = needed.iter().filter(|need| !policy.allows(need) && !reading.allows(need));
        wrong.extend(refused.map(|need| format!("{heading} does not allow {} on {}", need.action, need.resource)));
        let idle = policy.actions().into_iter().filter(|action| !actions(&needed).contains(action));
        wrong.extend(idle.map(|action| format!("{heading} allows {action}, which no call used")));
    }
    let needed: BTreeSet<&Need> = needs.values().flatten().filter(is_value).collect();
    let refused = needed.iter().filter(|need| !values.allows(need));
    wrong.extend(refused.map(|need| format!("Values does not allow {} on {}", need.action, need.resource)));
    assert_eq!(values.actions(), actions(needed), "what values need");

    let rows = document.rows("Command by command");
    for (command, needed) in needs {
        let needed = actions(needed.iter().filter(|need| !is_value(need)));
        let mut row = rows.get(command).unwrap_or_else(|| panic!("no row for {command}")).clone();
        if row.remove("looking") {
            row.extend(rows["looking"].clone());
        }
        if let Some((heading, _)) = POLICIES.iter().find(|(heading, _)| row.remove(*heading)) {
            row.extend(document.policy(heading, region).actions());
        }
        let differing: Vec<&String> = row.symmetric_difference(&needed).collect();
        if !differing.is_empty() {
            wrong.push(format!("the row of {command} is wrong about {differing:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_call_needs_besides_is_said_with_how_sure_it_is() {
    let document = Document::read();
    let rows = document.lines("What else it needs");
    let row = |more: &More| format!("| `{}` | `{}` | {} |", more.of, more.action, more.sure);
    assert_eq!(rows, MORE.iter().map(row).collect::<Vec<_>>());
    assert!(document.json().len() >= 6, "policies and trusts");
}
