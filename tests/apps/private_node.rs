//! Private packages of Node that have the name of a public one: the right one is packed, or lamstream refuses and names it.

use crate::index::{Index, PASSWORD};
use crate::packaging::contents;
use crate::support::bench::{Bench, said};
use serde_json::json;
use std::process::Command;

/// What has to come out: the private package, or these words.
type Out = Option<&'static str>;
/// A name, the files by their paths, and what has to come out.
type Form<'a> = (&'a str, &'a [(&'a str, &'a str)], Out);
const PRIVATE: Out = None;

const MANIFEST: &str =
    "app = 'shop'\n[functions.site]\nweb = 'packages/app'\nruntime = 'nodejs20.x'\nrun = 'node index.js'\n";

fn each(forms: &[Form<'_>]) {
    let (public, corp) = (Index::start(false), Index::start(false));
    for name in ["six", "@corp/six", "leaf"] {
        public.add_tarball(name, "9.0.0", "public");
    }
    for name in ["six", "@corp/six"] {
        corp.add_tarball(name, "1.0.0", "private");
    }
    for (form, files, out) in forms {
        let bench = Bench::new(MANIFEST);
        let text = |text: &str| {
            text.replace("{CORP}", &format!("http://{}/", corp.address))
                .replace("{LOCKED}", &format!("http://corp:{PASSWORD}@{}/", corp.address))
                .replace("{FILE}", &corp.file("six-1.0.0.tgz"))
        };
        let npmrc = format!("registry=http://{}/\nfetch-retries=0\n", public.address);
        let own = [("packages/app/index.js", ""), ("home/.npmrc", &npmrc)];
        for (name, content) in own.iter().chain(*files) {
            let path = bench.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text(content)).unwrap();
        }
        let output = bench.run(&["build", "--out", "out"]);
        let words = said(&output);
        assert!(!words.contains(PASSWORD), "{form}: {words}");
        match out {
            None => {
                assert!(output.status.success(), "{form}: {words}");
                let found = contents(&bench.path("out/site.zip"));
                let six = String::from_utf8_lossy(&found["node_modules/six/index.js"].1).into_owned();
                assert_eq!(six, "module.exports = 'private'\n", "{form}");
                assert!(!found.values().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains(PASSWORD)), "{form}");
            }
            Some(expected) => {
                assert_eq!(output.status.code(), Some(1), "{form}: {words}");
                assert!(words.contains(expected) && words.contains("`six"), "{form}: {words}");
                assert!(!bench.path("out/site.zip").exists(), "{form}");
            }
        }
    }
}

fn needs(version: &str) -> String {
    json!({"name": "site", "version": "1.0.0", "dependencies": {"six": version}}).to_string()
}

fn package(text: &str) -> (&str, &str) {
    ("packages/app/package.json", text)
}

const WORKSPACE: (&str, &str) = ("package.json", r#"{"private": true, "workspaces": ["packages/*"]}"#);
const PNPM: (&str, &str) = ("pnpm-workspace.yaml", "packages:\n  - 'packages/*'\n");
const SIX: (&str, &str) = ("packages/six/package.json", r#"{"name": "six", "version": "1.0.0"}"#);

#[test]
fn a_package_of_a_workspace_or_a_directory_is_not_looked_up_in_a_registry() {
    let any = needs("*");
    let peer = json!({"dependencies": {"leaf": "9"}, "peerDependencies": {"six": "*"}}).to_string();
    let replaced = |key: &str, value: serde_json::Value| json!({"dependencies": {"six": "*"}, key: value}).to_string();
    let resolutions = replaced("resolutions", json!({"six": "file:../six"}));
    let overrides = replaced("pnpm", json!({"overrides": {"six": "link:../six"}}));
    let local: Vec<String> = ["workspace:*", "file:../six", "link:../six", "portal:../six", "../six"].map(needs).into();
    let catalog = needs("catalog:");
    let patch = needs("patch:six@npm%3A1.0.0#./six.patch");
    let (here, unclear) = ("is a local directory or file", "`six` may mean the workspace's own `packages/six`");
    let alone = local.iter().map(|text| [package(text), SIX]).collect::<Vec<_>>();
    let mut forms: Vec<Form<'_>> = alone.iter().map(|files| ("place", &files[..], Some(here))).collect();
    let others: [Form<'_>; 7] = [
        ("npm", &[package(&any), WORKSPACE, SIX], Some("package.json:1")),
        ("npm, a peer", &[package(&peer), WORKSPACE, SIX], Some(unclear)),
        ("pnpm", &[package(&any), PNPM, SIX], Some(unclear)),
        ("resolutions", &[package(&resolutions), SIX], Some(here)),
        ("pnpm.overrides", &[package(&overrides), SIX], Some(here)),
        ("catalog", &[package(&catalog)], Some("npm does not support")),
        ("patch", &[package(&patch)], Some("npm does not support")),
    ];
    forms.extend(others);
    each(&forms);
}

#[test]
fn the_registry_of_a_scope_is_the_one_that_the_project_names() {
    let (alias, any) = (needs("npm:@corp/six@*"), needs("*"));
    let (alias, any) = (package(&alias), package(&any));
    let address = needs("{FILE}");
    each(&[
        ("its own", &[alias, ("packages/app/.npmrc", "@corp:registry={CORP}\n")], PRIVATE),
        ("above", &[alias, WORKSPACE, (".npmrc", "@corp:registry={CORP}\n")], PRIVATE),
        ("all", &[any, WORKSPACE, (".npmrc", "registry={CORP}\n")], PRIVATE),
        ("password", &[any, ("packages/app/.npmrc", "registry={LOCKED}\n")], PRIVATE),
        ("yarn", &[alias, (".yarnrc.yml", "npmScopes:\n  corp:\n    npmRegistryServer: '{CORP}'\n")], PRIVATE),
        ("old yarn", &[alias, ("packages/app/.yarnrc", "\"@corp:registry\" \"{CORP}\"\n")], PRIVATE),
        ("bun", &[alias, ("packages/app/bunfig.toml", "[install.scopes]\ncorp = '{CORP}'\n")], PRIVATE),
        ("address", &[package(&address)], PRIVATE),
    ]);
}

#[test]
fn a_lock_says_that_a_package_is_not_the_registrys() {
    let any = needs("*");
    let any = package(&any);
    let npm = |version: u8, key: &str, entry: serde_json::Value| {
        let root = json!({"name": "site", "version": "1.0.0", "dependencies": {"six": "*"}});
        let mut lock = json!({"name": "site", "version": "1.0.0", "lockfileVersion": version});
        lock[key] = if version == 1 { json!({"six": entry}) } else { json!({"": root, "node_modules/six": entry}) };
        lock.to_string()
    };
    let resolved = npm(3, "packages", json!({"version": "1.0.0", "resolved": "{FILE}"}));
    let old = npm(1, "dependencies", json!({"version": "file:../six"}));
    let link = npm(3, "packages", json!({"resolved": "../six", "link": true}));
    let here = "is a local directory or file";
    each(&[
        ("package-lock.json", &[any, ("packages/app/package-lock.json", &resolved)], PRIVATE),
        ("old package-lock.json", &[any, ("packages/app/package-lock.json", &old)], Some(here)),
        ("package-lock.json, a link", &[any, ("packages/app/package-lock.json", &link)], Some(here)),
    ]);
}

#[test]
fn a_repository_is_what_a_version_names() {
    let repository = tempfile::tempdir().unwrap();
    std::fs::write(repository.path().join("package.json"), r#"{"name": "six", "version": "1.0.0"}"#).unwrap();
    std::fs::write(repository.path().join("index.js"), "module.exports = 'private'\n").unwrap();
    let run = "git init -q . && git add . && git -c user.name=a -c user.email=a@example.com commit -qm one";
    assert!(Command::new("sh").args(["-c", run]).current_dir(repository.path()).status().unwrap().success());
    let git = needs(&format!("git+file://{}", repository.path().display()));
    each(&[("git", &[package(&git)], PRIVATE)]);
}
