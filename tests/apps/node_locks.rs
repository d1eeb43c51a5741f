//! Locks of each tool of Node: what a lock names is packaged, and nothing else.

use crate::index::Index;
use crate::packaging::unpack;
use crate::support::bench::{Bench, said};
use crate::support::node::{BERRY, BUN, PNPM, YARN, tool};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const MANIFEST: &str =
    "app = 'shop'\n[functions.site]\nweb = 'packages/app'\nruntime = 'nodejs22.x'\nrun = 'npm start --silent'\n";
const APP: &str = "console.log([require('six'), require('shared'), require('leaf')].join(' '))\n";

struct Case {
    lock: &'static str,
    name: &'static str,
    /// `None` for npm, which is there.
    package: Option<&'static str>,
    /// What makes the lock.
    locks: &'static [&'static str],
    /// How one member requires another.
    member: &'static str,
}

const CASES: [Case; 5] = [
    Case {
        lock: "package-lock.json",
        name: "npm",
        package: None,
        locks: &["install", "--package-lock-only"],
        member: "*",
    },
    Case {
        lock: "pnpm-lock.yaml",
        name: "pnpm",
        package: Some(PNPM),
        locks: &["install", "--lockfile-only"],
        member: "workspace:*",
    },
    Case { lock: "yarn.lock", name: "yarn", package: Some(YARN), locks: &["install", "--ignore-scripts"], member: "*" },
    Case {
        lock: "yarn.lock",
        name: "yarn",
        package: Some(BERRY),
        locks: &["install", "--mode=update-lockfile"],
        member: "workspace:*",
    },
    Case {
        lock: "bun.lock",
        name: "bun",
        package: Some(BUN),
        locks: &["install", "--lockfile-only"],
        member: "workspace:*",
    },
];

/// A workspace, its registry, and the program of its tool.
struct Place {
    bench: Bench,
    registry: Index,
    tools: Option<PathBuf>,
}

impl Place {
    /// Locked when the registry has version 1.0.0 of `six`; version 1.5.0 comes later. The app needs another version of
    /// `leaf` than the member that it needs.
    fn new(case: &Case) -> Option<Place> {
        let tools = match case.package {
            Some(package) => Some(tool(package)?),
            None => None,
        };
        let registry = Index::start(false);
        let place = Place { bench: Bench::new(MANIFEST), registry, tools };
        place.add("six", "1.0.0", json!({"bin": {"six": "index.js"}}));
        place.add("leaf", "1.0.0", json!({"scripts": {"postinstall": "exit 1"}}));
        place.add("leaf", "2.0.0", json!({}));
        place.add("dev", "1.0.0", json!({}));
        place.add("foreign", "1.0.0", json!({"os": ["darwin"], "cpu": ["arm64"]}));
        let start = json!({"start": "six"});
        place.write(
            "packages/app/package.json",
            &json!({
                "name": "app", "version": "1.0.0", "scripts": start,
                "dependencies": {"six": "^1.0.0", "shared": case.member, "leaf": "1.0.0"},
                "optionalDependencies": {"foreign": "1.0.0"},
                "devDependencies": {"dev": "1.0.0"},
            }),
        );
        place.write(
            "packages/shared/package.json",
            &json!({
                "name": "shared", "version": "1.0.0", "dependencies": {"leaf": "2.0.0"},
            }),
        );
        place.write("packages/unused/package.json", &json!({"name": "unused", "version": "1.0.0"}));
        place.write("package.json", &json!({"name": "root", "private": true, "workspaces": ["packages/*"]}));
        let address = format!("http://{}/", place.registry.address);
        for (name, text) in [
            ("packages/app/index.js", APP.to_owned()),
            ("packages/shared/index.js", "module.exports = 'shared:' + require('leaf')\n".to_owned()),
            ("packages/unused/index.js", String::new()),
            ("pnpm-workspace.yaml", "packages:\n  - packages/*\n".to_owned()),
            (".npmrc", format!("registry={address}\n")),
            (".yarnrc", format!("registry \"{address}\"\n")),
            (
                ".yarnrc.yml",
                format!("npmRegistryServer: {address}\nunsafeHttpWhitelist: [127.0.0.1]\nnodeLinker: node-modules\n"),
            ),
            ("bunfig.toml", format!("[install]\nregistry = \"{address}\"\n")),
        ] {
            place.bench.write_all(name, &text);
        }
        if case.package == Some(BERRY) {
            place.bench.write("yarn.lock", "");
        }
        let mut command = Command::new(place.program(case.name));
        command.args(case.locks).current_dir(place.bench.directory.path()).env("HOME", place.bench.path("home"));
        command.env("YARN_CACHE_FOLDER", place.bench.path("yarn-cache"));
        let output = command.env("CI", "false").env("YARN_ENABLE_IMMUTABLE_INSTALLS", "0").output().unwrap();
        assert!(output.status.success(), "{}: {}", case.name, said(&output));
        for directory in ["node_modules", "packages/app/node_modules", "packages/shared/node_modules"] {
            let _ = std::fs::remove_dir_all(place.bench.path(directory));
        }
        place.add("six", "1.5.0", json!({}));
        Some(place)
    }

    fn add(&self, name: &str, version: &str, keys: Value) {
        let text = format!("#!/usr/bin/env node\nmodule.exports = '{name}@{version}'\n");
        self.registry.add_module(name, version, &text, &keys);
    }

    fn write(&self, name: &str, package: &Value) {
        self.bench.write_all(name, &package.to_string());
    }

    fn program(&self, name: &str) -> PathBuf {
        self.tools.as_ref().map_or_else(|| PathBuf::from(name), |tools| tools.join(name))
    }

    /// With only Node, npm and the given tool in `PATH`.
    fn build(&self, tools: Option<&Path>, arguments: &[&str]) -> Output {
        let programs = self.bench.path("programs");
        std::fs::create_dir_all(&programs).unwrap();
        let path = std::env::var_os("PATH").unwrap();
        for name in ["node", "npm", "sh", "git", "tar"] {
            let found = std::env::split_paths(&path).map(|path| path.join(name)).find(|path| path.is_file());
            let _ = found.map(|path| std::os::unix::fs::symlink(path, programs.join(name)));
        }
        let mut command = self.bench.command(&[&["build", "--out", "out"], arguments].concat());
        // The cache of root is everyone's, whatever HOME is.
        command.env("YARN_CACHE_FOLDER", self.bench.path("yarn-cache"));
        let paths = tools.map(Path::to_owned).into_iter().chain([programs]);
        command.env("PATH", std::env::join_paths(paths).unwrap()).output().unwrap()
    }

    /// The directory with what was packaged, and what was said.
    fn built(&self, arguments: &[&str]) -> (PathBuf, String) {
        let output = self.build(self.tools.as_deref(), arguments);
        assert!(output.status.success(), "{}", said(&output));
        let to = self.bench.path("unpacked");
        let _ = std::fs::remove_dir_all(&to);
        unpack(&self.bench.path("out/site.zip"), &to);
        (to, said(&output))
    }
}

#[test]
fn what_a_lock_names_is_packaged_with_the_members_that_the_app_needs() {
    for case in &CASES {
        let Some(place) = Place::new(case) else { continue };
        for architecture in ["x86_64", "arm64"] {
            let (at, words) = place.built(&["--arch", architecture]);
            assert!(words.contains("the install scripts of `leaf` did not run"), "{}: {words}", case.name);
            let output = Command::new("node").arg("index.js").current_dir(&at).output().unwrap();
            let words = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(words.trim(), "six@1.0.0 shared:leaf@2.0.0 leaf@1.0.0", "{} {}", case.name, said(&output));
            let find = Command::new("find").arg(&at).output().unwrap();
            let files = String::from_utf8_lossy(&find.stdout).into_owned();
            for absent in ["/dev/index.js", "/foreign/index.js", "/unused/", ".yarn-integrity", ".modules.yaml"] {
                assert!(!files.contains(absent), "{} {absent}: {files}", case.name);
            }
            assert!(at.join("node_modules/.bin/six").is_file(), "{}: {files}", case.name);
        }
    }
}

#[test]
fn a_lock_that_does_not_fit_is_refused() {
    for case in &CASES {
        let Some(place) = Place::new(case) else { continue };
        place.add("six", "2.0.0", json!({}));
        let list = place.bench.path("packages/app/package.json");
        let text = std::fs::read_to_string(&list).unwrap();
        std::fs::write(&list, text.replace("^1.0.0", "^2.0.0")).unwrap();
        let output = place.build(place.tools.as_deref(), &[]);
        let words = said(&output);
        assert_eq!(output.status.code(), Some(1), "{}: {words}", case.name);
        let expected = [format!("{}` does not fit it", case.lock), format!("run `{} install`", case.name)];
        assert!(expected.iter().all(|expected| words.contains(expected)), "{}: {words}", case.name);
        assert!(!place.bench.path("out/site.zip").exists());
    }
}

#[test]
fn without_the_tool_of_a_lock_nothing_is_installed() {
    for case in CASES.iter().filter(|case| case.package.is_some()) {
        let Some(place) = Place::new(case) else { continue };
        let output = place.build(None, &[]);
        let words = said(&output);
        assert_eq!(output.status.code(), Some(1), "{words}");
        let expected = format!("{}` locks them, but {} is not installed", case.lock, case.name);
        assert!(words.contains(&expected) && words.contains("npm install --global"), "{words}");
    }
    // Yarn 1 cannot read the locks of later versions.
    let (Some(place), Some(classic)) = (Place::new(&CASES[3]), tool(YARN)) else { return };
    let output = place.build(Some(&classic), &[]);
    assert!(said(&output).contains("is a lock of Yarn 2 or later"), "{}", said(&output));
}
