//! The runs that are disturbed: what is there before, what is typed, and which code is at hand.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A manifest, and the code that it is deployed with.
#[derive(Clone, Copy)]
pub struct Wanted {
    /// What the table `functions.chat` says besides its crate.
    function: &'static str,
    /// `one`, `two` or `three`.
    code: &'static str,
}

pub struct Scenario {
    pub name: &'static str,
    /// Deployed one after the other, undisturbed, before the run.
    pub before: &'static [Wanted],
    /// The manifest and the code of the run.
    pub at_hand: Wanted,
    pub command: &'static [&'static str],
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

pub const DEPLOYED: Wanted = Wanted { function: PUBLIC, code: "one" };
pub const DEPLOY: &[&str] = &["deploy", "--yes"];

/// What two people deploy at once over the first: other code and another configuration each.
pub const RIVALS: [Wanted; 2] = [
    Wanted { function: CONFIGURED, code: "two" },
    Wanted { function: "url = { auth = 'none' }\nenvironment = { GREETING = 'good night' }", code: "three" },
];

pub const SCENARIOS: &[Scenario] = &[
    Scenario { name: "first deploy", before: &[], at_hand: DEPLOYED, command: DEPLOY },
    Scenario {
        name: "code only",
        before: &[DEPLOYED],
        at_hand: Wanted { function: PUBLIC, code: "two" },
        command: DEPLOY,
    },
    Scenario {
        name: "configuration only",
        before: &[DEPLOYED],
        at_hand: Wanted { function: CONFIGURED, code: "one" },
        command: DEPLOY,
    },
    Scenario {
        name: "code and configuration",
        before: &[DEPLOYED],
        at_hand: Wanted { function: CONFIGURED, code: "two" },
        command: DEPLOY,
    },
    Scenario {
        name: "public to signed",
        before: &[DEPLOYED],
        at_hand: Wanted { function: SIGNED, code: "one" },
        command: DEPLOY,
    },
    Scenario {
        name: "signed to public",
        before: &[Wanted { function: SIGNED, code: "one" }],
        at_hand: DEPLOYED,
        command: DEPLOY,
    },
    Scenario {
        name: "settings",
        before: &[Wanted { function: SETTINGS, code: "one" }],
        at_hand: Wanted { function: OTHER_SETTINGS, code: "one" },
        command: DEPLOY,
    },
    Scenario { name: "destroy", before: &[DEPLOYED], at_hand: DEPLOYED, command: &["destroy", "--yes"] },
];

impl Wanted {
    pub fn manifest(&self) -> String {
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        format!(
            "app = 'shop'\n[functions.chat]\ncrate = 'unused'\narchitecture = '{architecture}'\n{}\n",
            self.function
        )
    }

    /// The path of its package.
    pub fn package(&self) -> PathBuf {
        static PACKAGES: OnceLock<TempDir> = OnceLock::new();
        let packages = PACKAGES.get_or_init(|| {
            let packages = tempfile::tempdir().unwrap();
            for code in ["one", "two", "three"] {
                std::fs::write(packages.path().join(code), zip(code)).unwrap();
            }
            packages
        });
        Path::join(packages.path(), self.code)
    }
}

fn zip(code: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    writer.start_file("bootstrap", options).unwrap();
    writer.write_all(include_str!("function.py").replace("CODE", code).as_bytes()).unwrap();
    writer.finish().unwrap().into_inner()
}
