//! Links of an app: which stay links, and what becomes of the others.

use crate::packaging::{app, unpack};
use crate::support::bench::{Bench, said};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

const MANIFEST: &str = "app = 'shop'\n[functions.site]\nweb = 'app'\nruntime = 'nodejs22.x'\nrun = 'node index.js'\n\
                        dependencies = 'none'\n";

/// A bench with an app of these files and links.
fn linked(files: &[(&str, &str)], links: &[(&str, &str)]) -> Bench {
    let bench = app(MANIFEST, &[]);
    files.iter().for_each(|(name, text)| bench.write_all(name, text));
    for (name, target) in links {
        std::fs::create_dir_all(bench.path(name).parent().unwrap()).unwrap();
        symlink(target, bench.path(name)).unwrap();
    }
    bench
}

/// Builds and unpacks; gives the directory and what was said.
fn built(bench: &Bench) -> (PathBuf, String) {
    let output = bench.run(&["build", "--out", "out"]);
    assert!(output.status.success(), "{}", said(&output));
    let to = bench.path("unpacked");
    unpack(&bench.path("out/site.zip"), &to);
    (to, said(&output))
}

#[test]
fn a_layout_of_pnpm_stays_one() {
    let store = "app/node_modules/.pnpm";
    let bench = linked(
        &[
            ("app/index.js", "console.log(require('odd'))\n"),
            (&format!("{store}/odd@1/node_modules/odd/index.js"), "module.exports = require('number') + 1\n"),
            (&format!("{store}/number@1/node_modules/number/index.js"), "module.exports = 41\n"),
        ],
        &[
            ("app/node_modules/odd", ".pnpm/odd@1/node_modules/odd"),
            (&format!("{store}/odd@1/node_modules/number"), "../../number@1/node_modules/number"),
            ("app/node_modules/.bin/odd", "../odd/index.js"),
        ],
    );
    let (at, _) = built(&bench);
    let output = Command::new("node").arg("index.js").current_dir(&at).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "42\n", "{}", said(&output));
    assert!(at.join("node_modules/odd").is_symlink() && at.join("node_modules/.bin/odd").is_symlink());
}

#[test]
fn packages_of_the_workspace_around_are_found() {
    let store = "node_modules/.pnpm";
    let bench = linked(
        &[
            ("app/index.js", "console.log(require('odd'), require('shared'))\n"),
            (&format!("{store}/odd@1/node_modules/odd/index.js"), "module.exports = require('number') + 1\n"),
            (&format!("{store}/number@1/node_modules/number/index.js"), "module.exports = 41\n"),
            (&format!("{store}/number@2/node_modules/number/index.js"), "module.exports = 2\n"),
            ("shared/package.json", "{}"),
            ("shared/index.js", "module.exports = require('number')\n"),
            ("shared/.env", "TOKEN=planted"),
        ],
        &[
            ("app/node_modules/odd", "../../node_modules/.pnpm/odd@1/node_modules/odd"),
            ("app/node_modules/shared", "../../shared"),
            (&format!("{store}/odd@1/node_modules/number"), "../../number@1/node_modules/number"),
            ("shared/node_modules/number", "../../node_modules/.pnpm/number@2/node_modules/number"),
        ],
    );
    let (at, _) = built(&bench);
    let output = Command::new("node").arg("index.js").current_dir(&at).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "42 2\n", "{}", said(&output));
    let find = Command::new("find").arg(&at).output().unwrap();
    assert!(!String::from_utf8_lossy(&find.stdout).contains(".env"));
}

#[test]
fn what_is_not_the_apps_is_left_out_unless_it_is_named() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.txt"), "planted").unwrap();
    let target = outside.path().join("secret.txt").to_str().unwrap().to_owned();
    // A place that no machine has but Lambda.
    let bench = linked(
        &[("app/index.js", ""), ("common/util.js", "1"), ("common/.env", "TOKEN=planted")],
        &[
            ("app/common", "../common"),
            ("app/index-too.js", "index.js"),
            ("app/model", "/opt/model"),
            ("app/cache", "/tmp/no-such-directory-of-a-function"),
            ("app/hosts", "/etc/hostname"),
            ("app/around", ".."),
            ("app/gone", "nowhere.js"),
            ("app/hidden", ".git/config"),
        ],
    );
    bench.write_all("app/.git/config", "x");
    let (at, words) = built(&bench);
    assert_eq!(std::fs::read_to_string(at.join("common/util.js")).unwrap(), "1");
    assert!(!at.join("common").is_symlink() && !at.join("common/.env").exists());
    for (name, target) in
        [("index-too.js", "index.js"), ("model", "/opt/model"), ("cache", "/tmp/no-such-directory-of-a-function")]
    {
        assert_eq!(std::fs::read_link(at.join(name)).unwrap().to_str(), Some(target), "{name}");
    }
    for (name, target) in
        [("hosts", "/etc/hostname"), ("around", ".."), ("gone", "nowhere.js"), ("hidden", ".git/config")]
    {
        assert!(at.join(name).symlink_metadata().is_err(), "{name}");
        assert!(words.contains(&format!("`{name}` is left out: it is a link to `{target}`")), "{name}: {words}");
    }
    symlink(&target, bench.path("app/named.txt")).unwrap();
    bench.write("deploy.toml", &format!("{MANIFEST}include = ['named.txt']\n"));
    std::fs::remove_dir_all(&at).unwrap();
    let (at, _) = built(&bench);
    assert_eq!(std::fs::read_to_string(at.join("named.txt")).unwrap(), "planted");
}
