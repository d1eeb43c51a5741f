//! The runs that are disturbed: what exists before, the command, and the code to deploy.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::sync::OnceLock;
use tempfile::TempDir;

/// Codes that pass their checks.
pub(crate) const GOOD: [&str; 3] = ["one", "two", "three"];
/// `bad` passes while it is tried, and fails behind its URL. `worse` passes one check of its version, and fails all others.
const CODES: [&str; 5] = ["one", "two", "three", "bad", "worse"];

/// A manifest, and the code that it is deployed with.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// What the table `functions.chat` says besides its crate.
    function: &'static str,
    /// One of `CODES`.
    code: &'static str,
}

pub(crate) struct Scenario {
    pub name: &'static str,
    /// What is done, undisturbed, before the run, one after the other.
    pub before: &'static [(Wanted, &'static [&'static str])],
    /// The manifest and the code of the run.
    pub now: Wanted,
    pub command: &'static [&'static str],
    /// Whether the release that it leads to fails behind its URL or during its shift, so that `live` has to move back.
    pub bad: bool,
}

const PUBLIC: &str = "url = { auth = 'none' }\nconcurrency = 5\nenvironment = { GREETING = 'good morning' }";
const CONFIGURED: &str =
    "url = { auth = 'none' }\nconcurrency = 5\nmemory = 256\nenvironment = { GREETING = 'good evening' }";
const SIGNED: &str =
    "url = { auth = 'aws-iam', mode = 'buffered' }\nconcurrency = 5\nenvironment = { GREETING = 'good morning' }";

/// The role, the tags and all that acts at once: something is added, something taken away, something changed.
const SETTINGS: &str = "url = { auth = 'none' }\nconcurrency = 5\ndescription = 'before'\ntags = { team = 'web' }\n\
    environment = { GREETING = 'good morning' }\nlog = { retention_days = 7 }\nrole.statements = \
    [{ actions = ['s3:GetObject'], resources = ['*'] }]\nrole.managed_policies = ['arn:aws:iam::aws:policy/ReadOnlyAccess']";
const OTHER_SETTINGS: &str = "url = { auth = 'none' }\ndescription = 'after'\ntags = { owner = 'me' }\n\
    environment = { GREETING = 'good evening' }\nlog = { retention_days = 14 }\nrole.statements = \
    [{ actions = ['s3:PutObject'], resources = ['*'] }]\nrole.managed_policies = ['arn:aws:iam::aws:policy/AmazonS3FullAccess']";

pub(crate) const DEPLOYED: Wanted = Wanted { function: PUBLIC, code: "one" };
pub(crate) const DEPLOY: &[&str] = &["deploy", "--yes"];
const UNASKED: &[&str] = &["deploy", "--yes", "--no-verify"];
const SHIFT: &[&str] = &["deploy", "--yes", "--shift", "10"];
/// Each step has one look, at its end.
const STEPS: &[&str] = &["deploy", "--yes", "--shift", "10,50", "--for", "300ms"];

/// The next release: other code and another configuration.
const NEXT: Wanted = Wanted { function: CONFIGURED, code: "two" };
/// A third one, with which the first becomes too old to be kept.
const PRUNING: Wanted = Wanted {
    function: "url = { auth = 'none' }\nconcurrency = 5\nkeep_releases = 1\nenvironment = { GREETING = 'good night' }",
    code: "three",
};

/// What two people deploy at once over the first: other code and another configuration each.
pub(crate) const RIVALS: [Wanted; 2] = [
    Wanted { function: CONFIGURED, code: "two" },
    Wanted { function: "url = { auth = 'none' }\nenvironment = { GREETING = 'good night' }", code: "three" },
];

const FIRST: &[(Wanted, &[&str])] = &[(DEPLOYED, DEPLOY)];
const BOTH: &[(Wanted, &[&str])] = &[(DEPLOYED, DEPLOY), (NEXT, DEPLOY)];
const SHIFTED: &[(Wanted, &[&str])] = &[(DEPLOYED, DEPLOY), (NEXT, SHIFT)];

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "first deploy", before: &[], now: DEPLOYED, command: DEPLOY, bad: false },
    Scenario {
        name: "code only",
        before: FIRST,
        now: Wanted { function: PUBLIC, code: "two" },
        command: DEPLOY,
        bad: false,
    },
    Scenario {
        name: "configuration only",
        before: FIRST,
        now: Wanted { function: CONFIGURED, code: "one" },
        command: DEPLOY,
        bad: false,
    },
    Scenario { name: "code and configuration", before: FIRST, now: NEXT, command: DEPLOY, bad: false },
    Scenario {
        name: "public to signed",
        before: FIRST,
        now: Wanted { function: SIGNED, code: "one" },
        command: DEPLOY,
        bad: false,
    },
    Scenario {
        name: "signed to public",
        before: &[(Wanted { function: SIGNED, code: "one" }, DEPLOY)],
        now: DEPLOYED,
        command: DEPLOY,
        bad: false,
    },
    Scenario {
        name: "settings",
        before: &[(Wanted { function: SETTINGS, code: "one" }, DEPLOY)],
        now: Wanted { function: OTHER_SETTINGS, code: "one" },
        command: DEPLOY,
        bad: false,
    },
    Scenario { name: "destroy", before: FIRST, now: DEPLOYED, command: &["destroy", "--yes"], bad: false },
    Scenario { name: "old versions", before: BOTH, now: PRUNING, command: DEPLOY, bad: false },
    Scenario {
        name: "rollback",
        before: BOTH,
        now: NEXT,
        command: &["rollback", "chat", "--to", "1", "--yes"],
        bad: false,
    },
    Scenario { name: "shift", before: FIRST, now: NEXT, command: SHIFT, bad: false },
    Scenario { name: "shift that ends itself", before: FIRST, now: NEXT, command: STEPS, bad: false },
    Scenario {
        name: "shift to a worse one",
        before: FIRST,
        now: Wanted { function: PUBLIC, code: "worse" },
        command: STEPS,
        bad: true,
    },
    Scenario { name: "promote", before: SHIFTED, now: NEXT, command: &["promote", "chat"], bad: false },
    Scenario {
        name: "bad code",
        before: FIRST,
        now: Wanted { function: PUBLIC, code: "bad" },
        command: DEPLOY,
        bad: true,
    },
    Scenario {
        name: "bad code and settings",
        before: &[(Wanted { function: SETTINGS, code: "one" }, DEPLOY)],
        now: Wanted { function: OTHER_SETTINGS, code: "bad" },
        command: DEPLOY,
        bad: true,
    },
    Scenario {
        name: "bad rollback",
        before: &[(Wanted { function: PUBLIC, code: "bad" }, UNASKED), (NEXT, DEPLOY)],
        now: NEXT,
        command: &["rollback", "chat", "--to", "1", "--yes"],
        bad: true,
    },
    Scenario { name: "abort", before: SHIFTED, now: NEXT, command: &["abort", "chat"], bad: false },
];

impl Scenario {
    /// Whether it is a shift that ends itself: on its way, either release may answer.
    pub(crate) fn has_steps(&self) -> bool {
        self.command.contains(&"--for")
    }
}

impl Wanted {
    pub(crate) fn manifest(&self) -> String {
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        format!(
            "app = 'shop'\n[functions.chat]\ncrate = 'unused'\narchitecture = '{architecture}'\ntimeout = 2\n{}\n",
            self.function
        )
    }

    pub(crate) fn package(&self) -> PathBuf {
        package(self.code)
    }
}

/// The path of the package of a code.
pub(crate) fn package(code: &str) -> PathBuf {
    static PACKAGES: OnceLock<TempDir> = OnceLock::new();
    let packages = PACKAGES.get_or_init(|| {
        let packages = tempfile::tempdir().unwrap();
        for code in CODES {
            std::fs::write(packages.path().join(code), zip(code)).unwrap();
        }
        packages
    });
    packages.path().join(code)
}

/// What a version answers, by its code and its configuration as Lambda describes it.
pub(crate) fn answer_of(version: &Value) -> String {
    let digest = |code| STANDARD.encode(Sha256::digest(std::fs::read(package(code)).unwrap()));
    let code = CODES.into_iter().find(|code| version["CodeSha256"] == digest(code)).unwrap();
    format!("code {code}, greeting {}", version["Environment"]["Variables"]["GREETING"].as_str().unwrap())
}

fn zip(code: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    writer.start_file("bootstrap", options).unwrap();
    writer.write_all(include_str!("function.py").replace("CODE", code).as_bytes()).unwrap();
    writer.finish().unwrap().into_inner()
}
