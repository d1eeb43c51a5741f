//! Who signs what goes out: the access key in each `Authorization` header, for every source of credentials beside every
//! other, and for all services.

use crate::support::bench::{Bench, said};
use crate::support::recorder::{Recorder, Signed};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::process::Command;

const MANIFEST: &str = r#"
app = "shop"
[functions.chat]
package = "unused.zip"
runtime = "provided.al2023"
url = { auth = "aws-iam" }
environment = { KEY_A = { ssm = "/shop/a" }, KEY_B = { secret = "shop/b" } }
"#;

/// A source of credentials, and the key that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// `--profile`, of each kind.
    Flag(Profile),
    Keys,
    /// `AWS_PROFILE`
    Variable(Profile),
    DefaultVariable,
    WebIdentity,
    /// `[default]` in the credentials file.
    DefaultKeys,
    Container,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Profile {
    Credentials,
    Config,
    Process,
    Chain,
    ChainOfProcess,
    OfEnvironment,
    WebIdentity,
    Sso,
    Login,
}

/// What `aws login` signed in to, in the profile and in the name of its cache.
const LOGIN: &str = "arn:aws:iam::123456789012:user/jane";
/// The SHA-1 of the start URL in the profile: the name of its cache.
const SSO: &str = "98df91031e87f97bfc088c045be6442dc5d70b2a";

impl Profile {
    const ALL: [Profile; 9] = [
        Profile::Credentials,
        Profile::Config,
        Profile::Process,
        Profile::Chain,
        Profile::ChainOfProcess,
        Profile::OfEnvironment,
        Profile::WebIdentity,
        Profile::Sso,
        Profile::Login,
    ];

    fn name(self) -> &'static str {
        match self {
            Profile::Credentials => "in-credentials",
            Profile::Config => "in-config",
            Profile::Process => "process",
            Profile::Chain => "chain",
            Profile::ChainOfProcess => "chain-of-process",
            Profile::OfEnvironment => "of-environment",
            Profile::WebIdentity => "web",
            Profile::Sso => "sso",
            Profile::Login => "login",
        }
    }

    /// The key that signs in the end, and the one that the role is assumed with.
    fn keys(self) -> (&'static str, Option<&'static str>) {
        match self {
            Profile::Credentials => ("KEYCREDENTIALS", None),
            Profile::Config => ("KEYCONFIG", None),
            Profile::Process => ("KEYPROCESS", None),
            Profile::Chain => ("KEYASSUMED", Some("KEYBASE")),
            Profile::ChainOfProcess => ("KEYASSUMED", Some("KEYPROCESS")),
            Profile::OfEnvironment => ("KEYASSUMED", Some("KEYENVIRONMENT")),
            Profile::WebIdentity => ("KEYWEB", None),
            Profile::Sso => ("KEYSSO", None),
            Profile::Login => ("KEYLOGIN", None),
        }
    }
}

impl Source {
    /// In the order in which they count.
    fn all() -> Vec<Source> {
        let flags = Profile::ALL.map(Source::Flag);
        let variables = Profile::ALL.map(Source::Variable);
        let rest = [Source::DefaultVariable, Source::WebIdentity, Source::DefaultKeys, Source::Container];
        flags.into_iter().chain([Source::Keys]).chain(variables).chain(rest).collect()
    }

    fn keys(self) -> (&'static str, Option<&'static str>) {
        match self {
            Source::Flag(profile) | Source::Variable(profile) => profile.keys(),
            Source::Keys => ("KEYENVIRONMENT", None),
            Source::DefaultVariable => ("KEYCREDENTIALS", None),
            Source::WebIdentity => ("KEYWEB", None),
            Source::DefaultKeys => ("KEYDEFAULT", None),
            Source::Container => ("KEYCONTAINER", None),
        }
    }

    fn offer(self, bench: &Bench, recorder: &Recorder, command: &mut Command) {
        match self {
            Source::Flag(profile) => {
                command.args(["--profile", profile.name()]);
            }
            Source::Keys => {
                command.env("AWS_ACCESS_KEY_ID", "KEYENVIRONMENT").env("AWS_SECRET_ACCESS_KEY", "secret");
                command.env("AWS_SESSION_TOKEN", "token");
            }
            Source::Variable(profile) => {
                command.env("AWS_PROFILE", profile.name());
            }
            Source::DefaultVariable => {
                command.env("AWS_DEFAULT_PROFILE", Profile::Credentials.name());
            }
            Source::WebIdentity => {
                command.env("AWS_WEB_IDENTITY_TOKEN_FILE", bench.path("token"));
                command.env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/web");
            }
            Source::DefaultKeys => {
                command.env("AWS_SHARED_CREDENTIALS_FILE", bench.path("credentials-with-default"));
            }
            Source::Container => {
                command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/container", recorder.address));
            }
        }
    }
}

fn bench(recorder: &Recorder) -> Bench {
    let bench = Bench::new(MANIFEST);
    std::fs::create_dir_all(bench.path("home/.aws")).expect("a home");
    bench.write("token", "a.b.c");
    bench.write(
        "helper",
        "#!/bin/sh\necho '{\"Version\":1,\"AccessKeyId\":\"KEYPROCESS\",\"SecretAccessKey\":\"s\"}'\n",
    );
    let (home, helper) = (&recorder.address, bench.path("helper"));
    let token = bench.path("token");
    let role = "role_arn = arn:aws:iam::123456789012:role/r";
    bench.write(
        "home/.aws/config",
        &format!(
            "[default]\nendpoint_url = {home}\n\
             [profile in-credentials]\nendpoint_url = {home}\n\
             [profile in-config]\naws_access_key_id = KEYCONFIG\naws_secret_access_key = s\nendpoint_url = {home}\n\
             [profile process]\ncredential_process = sh {}\nendpoint_url = {home}\n\
             [profile chain]\n{role}\nsource_profile = base\nendpoint_url = {home}\n\
             [profile chain-of-process]\n{role}\nsource_profile = process\nendpoint_url = {home}\n\
             [profile of-environment]\n{role}\ncredential_source = Environment\nendpoint_url = {home}\n\
             [profile sso]\nsso_start_url = https://sso.example/start\nsso_region = eu-central-1\n\
             sso_account_id = 123456789012\nsso_role_name = r\nendpoint_url = {home}\n\
             [profile login]\nlogin_session = {LOGIN}\nendpoint_url = {home}\n\
             [profile web]\n{role}\nweb_identity_token_file = {}\nendpoint_url = {home}\n",
            helper.display(),
            token.display(),
        ),
    );
    let keys = "[in-credentials]\naws_access_key_id = KEYCREDENTIALS\naws_secret_access_key = s\n\
                [base]\naws_access_key_id = KEYBASE\naws_secret_access_key = s\n";
    bench.write("home/.aws/credentials", keys);
    let default = "[default]\naws_access_key_id = KEYDEFAULT\naws_secret_access_key = s\n";
    bench.write("credentials-with-default", &format!("{keys}{default}"));
    write_caches(&bench);
    write_zip(&bench);
    bench
}

/// What `aws sso login` and `aws login` leave behind.
fn write_caches(bench: &Bench) {
    std::fs::create_dir_all(bench.path("home/.aws/sso/cache")).expect("a cache");
    std::fs::create_dir_all(bench.path("home/.aws/login/cache")).expect("a cache");
    let sso = r#"{"startUrl":"https://sso.example/start","region":"eu-central-1","accessToken":"t","expiresAt":"2100-01-01T00:00:00Z"}"#;
    bench.write(&format!("home/.aws/sso/cache/{SSO}.json"), sso);
    let name: String = Sha256::digest(LOGIN).iter().map(|byte| format!("{byte:02x}")).collect();
    let login = r#"{"accessToken":{"accessKeyId":"KEYLOGIN","secretAccessKey":"s","sessionToken":"t","accountId":"123456789012",
        "expiresAt":"2100-01-01T00:00:00Z"},"tokenType":"aws_sigv4","refreshToken":"r","idToken":"i",
        "clientId":"arn:aws:signin:::devtools/same-device","dpopKey":"k"}"#;
    bench.write(&format!("home/.aws/login/cache/{name}.json"), login);
}

fn write_zip(bench: &Bench) {
    let file = std::fs::File::create(bench.path("unused.zip")).expect("the zip is made");
    let mut writer = zip::ZipWriter::new(file);
    writer.start_file("bootstrap", zip::write::SimpleFileOptions::default().unix_permissions(0o755)).expect("a file");
    std::io::Write::write_all(&mut writer, b"#!/bin/sh\n").expect("the zip is written");
    writer.finish().expect("the zip is written");
}

/// All signatures of three commands, which call all services between them.
fn signed(bench: &Bench, recorder: &Recorder, sources: &[Source]) -> BTreeSet<Signed> {
    for arguments in [&["plan"][..], &["destroy", "--yes"], &["invoke", "chat"]] {
        let mut command = bench.command(arguments);
        command.env("AWS_REGION", "eu-central-1").env("AWS_EC2_METADATA_DISABLED", "true");
        // Nothing of this may leave the machine, whatever goes wrong.
        command.env("AWS_ENDPOINT_URL", &recorder.address).env("HTTPS_PROXY", "http://127.0.0.1:1");
        sources.iter().for_each(|source| source.offer(bench, recorder, &mut command));
        let output = command.output().expect("lamstream runs");
        assert!(output.status.success(), "{sources:?} {arguments:?}: {}", said(&output));
    }
    recorder.take().into_iter().collect()
}

const SERVICES: [&str; 7] = ["iam", "lambda", "logs", "s3", "secretsmanager", "ssm", "sts"];

#[test]
fn the_first_source_signs_everything_whatever_else_there_is() {
    let recorder = Recorder::start();
    let bench = bench(&recorder);
    let all = Source::all();
    for (nth, first) in all.iter().enumerate() {
        for second in &all[nth..] {
            let twice = |one: &Source, other: &Source| {
                matches!(
                    (one, other),
                    (Source::Flag(_), Source::Flag(_))
                        | (Source::Variable(_), Source::Variable(_) | Source::DefaultVariable)
                )
            };
            // The kinds of profiles differ in what they build on, and not in what they come before.
            let (plain, other) = (Profile::Credentials, Source::Variable(Profile::Credentials));
            if let (Source::Flag(kind), Source::Variable(_)) = (first, second)
                && *kind != plain
                && *second != other
            {
                continue;
            }
            // A role on top of the environment's keys needs them, so that they count before AWS_PROFILE.
            let mut sources = vec![*first, *second];
            match first {
                _ if first != second && twice(first, second) => continue,
                Source::Variable(Profile::OfEnvironment) => continue,
                Source::Flag(Profile::OfEnvironment) => sources.push(Source::Keys),
                _ => {}
            }
            sources.dedup();
            let (key, base) = first.keys();
            let mut wanted: BTreeSet<(String, String)> =
                SERVICES.iter().map(|service| (key.to_owned(), (*service).to_owned())).collect();
            wanted.extend(base.map(|base| (base.to_owned(), "sts".to_owned())));
            let signed = signed(&bench, &recorder, &sources);
            let found: BTreeSet<(String, String)> =
                signed.iter().map(|signed| (signed.key.clone(), signed.service.clone())).collect();
            assert_eq!(found, wanted, "{sources:?}");
        }
    }
}
