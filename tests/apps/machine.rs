//! Indexes that the settings of the machine name: the package is the one of the index in force, whichever tool installs.

use crate::index::Index;
use crate::packages::with_each_installer;
use crate::packaging::{MANIFEST, app, contents};
use crate::support::bench::{Bench, said};
use serde_json::json;
use std::path::Path;

const NODE: &str = "app = 'shop'\n[functions.site]\nweb = 'app'\nruntime = 'nodejs20.x'\nrun = 'node index.js'\n";
const TWICE: &str = "is in more than one";

/// Two indexes that both have `six`, which says whose it is.
fn indexes() -> (Index, Index) {
    let (public, corp) = (Index::start(false), Index::start(false));
    public.add_wheel("six", "9.0", "public");
    corp.add_wheel("six", "1.0", "private");
    public.add_tarball("six", "9.0.0", "public");
    corp.add_tarball("six", "1.0.0", "private");
    (public, corp)
}

fn write(bench: &Bench, name: &str, text: &str) {
    std::fs::create_dir_all(bench.path(name).parent().unwrap()).unwrap();
    bench.write(name, text);
}

/// Builds with these variables; gives what `six` says, or the error.
fn six(bench: &Bench, uv: Option<&Path>, variables: &[(&str, &str)]) -> Result<String, String> {
    let mut command = bench.command(&["build", "--out", "out"]);
    command.env("UV_CACHE_DIR", bench.path("uv-cache")).env("UV_PYTHON_DOWNLOADS", "never");
    if let Some(uv) = uv {
        let path = std::env::var_os("PATH").unwrap();
        let paths = std::iter::once(uv.to_owned()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(paths).unwrap());
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    if !output.status.success() {
        return Err(said(&output));
    }
    let found = contents(&bench.path("out/site.zip"));
    let text = ["six/__init__.py", "node_modules/six/index.js"].into_iter().find_map(|name| found.get(name)).unwrap();
    Ok(String::from_utf8_lossy(&text.1).split('\'').nth(1).unwrap().to_owned())
}

#[test]
fn another_index_is_another_package_although_the_list_is_the_same() {
    let (public, corp) = indexes();
    with_each_installer(|uv| {
        let own = if uv.is_some() { "UV_DEFAULT_INDEX" } else { "PIP_INDEX_URL" };
        let bench = app(MANIFEST, &[("requirements.txt", "six\n")]);
        let by_variable = |index: &Index| six(&bench, uv, &[(own, &index.simple())]);
        let by_file = |index: &Index| {
            write(&bench, "home/.config/uv/uv.toml", &format!("index-url = '{}'\n", index.simple()));
            write(&bench, "home/.config/pip/pip.conf", &format!("[global]\nindex-url = {}\n", index.simple()));
            six(&bench, uv, &[])
        };
        assert_eq!(by_variable(&public).as_deref(), Ok("public"));
        assert_eq!(by_variable(&corp).as_deref(), Ok("private"));
        assert_eq!(by_file(&public).as_deref(), Ok("public"));
        assert_eq!(by_file(&corp).as_deref(), Ok("private"));
    });
}

#[test]
fn an_index_that_only_the_other_tool_names_is_used() {
    let (public, corp) = indexes();
    with_each_installer(|uv| {
        let wheels = corp.root().join("files").display().to_string();
        let (main, extra, links) = match uv {
            Some(_) => ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"),
            None => ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS"),
        };
        let own = if uv.is_some() { "UV_DEFAULT_INDEX" } else { "PIP_INDEX_URL" };
        let (public, corp) = (public.simple(), corp.simple());
        let bench = app(MANIFEST, &[("requirements.txt", "six\n")]);
        assert_eq!(six(&bench, uv, &[(main, &corp)]).as_deref(), Ok("private"));
        // The tool's own setting counts.
        assert_eq!(six(&bench, uv, &[(main, &corp), (own, &public)]).as_deref(), Ok("public"));
        for variables in
            [[(own, &public), (extra, &corp)], [(main, &corp), (extra, &public)], [(own, &public), (links, &wheels)]]
        {
            let variables = variables.map(|(name, value)| (name, &**value));
            let refused = six(&bench, uv, &variables).unwrap_err();
            assert!(refused.contains(TWICE) && refused.contains("`six`"), "{variables:?}: {refused}");
        }
        let (conf, toml) =
            (format!("[install]\nindex-url = {corp}\n"), format!("[[index]]\nurl = '{corp}'\ndefault = true\n"));
        let file = if uv.is_some() { ("home/.config/pip/pip.conf", conf) } else { ("home/.config/uv/uv.toml", toml) };
        write(&bench, file.0, &file.1);
        assert_eq!(six(&bench, uv, &[]).as_deref(), Ok("private"));
    });
}

#[test]
fn another_registry_or_lock_is_seen_although_the_list_of_node_is_the_same() {
    let (public, corp) = indexes();
    let registry = |index: &Index| format!("http://{}/", index.address);
    let package = r#"{"name": "site", "version": "1.0.0", "dependencies": {"six": "*"}}"#;
    let bench = Bench::new(NODE);
    for (name, text) in [("app/index.js", ""), ("app/package.json", package), ("app/.git/HEAD", "")] {
        write(&bench, name, text);
    }
    let by_variable = |index: &Index| six(&bench, None, &[("npm_config_registry", &registry(index))]);
    assert_eq!(by_variable(&public).as_deref(), Ok("public"));
    assert_eq!(by_variable(&corp).as_deref(), Ok("private"));
    let by_file = |index: &Index| {
        write(&bench, "home/.npmrc", &format!("registry={}\n", registry(index)));
        six(&bench, None, &[])
    };
    assert_eq!(by_file(&corp).as_deref(), Ok("private"));
    assert_eq!(by_file(&public).as_deref(), Ok("public"));
    // What the project names counts before a variable, as yarn sets one for all that it runs.
    write(&bench, "app/.npmrc", &format!("registry={}\n", registry(&corp)));
    assert_eq!(by_variable(&public).as_deref(), Ok("private"));
    write(&bench, "app/.npmrc", "");
    // Another lock is another installation.
    let file = corp.file("six-1.0.0.tgz");
    let root = json!({"name": "site", "version": "1.0.0", "dependencies": {"six": "*"}});
    let lock = json!({
        "name": "site", "version": "1.0.0", "lockfileVersion": 3,
        "packages": {"": root, "node_modules/six": {"version": "1.0.0", "resolved": file}},
    });
    assert_eq!(six(&bench, None, &[]).as_deref(), Ok("public"));
    write(&bench, "app/package-lock.json", &lock.to_string());
    assert_eq!(six(&bench, None, &[]).as_deref(), Ok("private"));
}
