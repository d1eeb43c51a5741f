//! Locks that the real tools make: their versions are installed with pip and with uv, and an old lock is refused.

use crate::index::Index;
use crate::packages::{UV, with_each_installer};
use crate::packaging::{MANIFEST, app, contents};
use crate::support::bench::{Bench, said};
use crate::support::python::tools;
use std::path::Path;
use std::process::{Command, Output};

/// Poetry, PDM and Pipenv, with what they depend on.
const LOCKERS: &str = include_str!("lockers.txt");

/// A tool's project, how it locks, and how the project changes afterwards.
struct Tool {
    file: &'static str,
    project: &'static str,
    lock: &'static [&'static str],
    /// Text of the project, and what replaces it; with words of the refusal.
    changes: &'static [(&'static str, &'static str, &'static str)],
    update: &'static str,
}

/// `pure[more]` needs `leaf`, for its extra `extra`, and on Windows `win`, which needs `winleaf`.
const TOOLS: [Tool; 4] = [
    Tool {
        file: "pyproject.toml",
        project: "[project]\nname = 'site'\nversion = '1'\nrequires-python = '>=3.11'\ndependencies = ['pure[more]']\n\
                  [dependency-groups]\ndev = ['tester']\n[[tool.uv.index]]\nname = 'corp'\nurl = '{INDEX}'\ndefault = true\n",
        lock: &["uv", "lock"],
        changes: &[
            ("'pure[more]'", "'pure[more]', 'other'", "has `other`, but it was locked without it"),
            ("'pure[more]'", "'pure[more]>1'", "has `pure[more]>1`, but it was locked for `pure[more]`"),
            ("'pure[more]'", "'pure'", "has `pure`, but it was locked for `pure[more]`"),
            (">=3.11", ">=3.14", "it was made for Python >=3.14"),
        ],
        update: "uv lock",
    },
    Tool {
        file: "pyproject.toml",
        project: "[tool.poetry]\nname = 'site'\nversion = '1'\nauthors = []\ndescription = ''\npackage-mode = false\n\
                  [tool.poetry.dependencies]\npython = '^3.11'\npure = { version = '*', extras = ['more'] }\n\
                  [tool.poetry.group.dev.dependencies]\ntester = '*'\n\
                  [[tool.poetry.source]]\nname = 'corp'\nurl = '{INDEX}'\npriority = 'primary'\n",
        lock: &["poetry", "lock", "--no-interaction"],
        changes: &[
            (
                "[tool.poetry.group",
                "other = '*'\n[tool.poetry.group",
                "requires `other *`, which the lock does not have",
            ),
            ("version = '*'", "version = '^2'", "requires `pure ^2`, but the lock has 1.0"),
        ],
        update: "poetry lock",
    },
    Tool {
        file: "pyproject.toml",
        project: "[project]\nname = 'site'\nversion = '1'\nrequires-python = '>=3.11'\ndependencies = ['pure[more]']\n\
                  [dependency-groups]\ndev = ['tester']\n[[tool.pdm.source]]\nname = 'pypi'\nurl = '{INDEX}'\nverify_ssl = false\n",
        lock: &["pdm", "lock", "-q"],
        changes: &[
            ("'pure[more]'", "'pure[more]', 'other'", "requires `other`, which the lock does not have"),
            ("'pure[more]'", "'pure[more]>1'", "requires `pure[more]>1`, but the lock has 1.0"),
        ],
        update: "pdm lock",
    },
    Tool {
        file: "Pipfile",
        project: "[[source]]\nname = 'corp'\nurl = '{INDEX}'\nverify_ssl = true\n\
                  [packages]\npure = { version = '*', extras = ['more'] }\n[dev-packages]\ntester = '*'\n",
        lock: &["pipenv", "lock"],
        changes: &[
            ("[dev-packages]", "other = '*'\n[dev-packages]", "does not have `other`"),
            ("'*', extras", "'>1', extras", "was changed after it was made"),
        ],
        update: "pipenv lock",
    },
];

fn index() -> Index {
    let index = Index::start(false);
    let needs = "Requires-Dist: leaf\nRequires-Dist: win; sys_platform == 'win32'\nProvides-Extra: more\n\
                 Requires-Dist: extra; extra == 'more'\n";
    index.add_wheel_with("pure", "1.0", "public", needs);
    index.add_wheel_with("win", "1.0", "public", "Requires-Dist: winleaf\n");
    for name in ["leaf", "extra", "winleaf", "tester", "other"] {
        index.add_wheel(name, "1.0", "public");
    }
    index
}

/// Later versions, which no lock has.
fn go_on(index: &Index) {
    for name in ["pure", "leaf", "extra"] {
        index.add_wheel(name, "2.0", "public");
    }
}

fn locked(tool: &Tool, index: &Index, tools: &Path, uv: &Path) -> Bench {
    let bench = app(MANIFEST, &[(tool.file, &tool.project.replace("{INDEX}", &index.simple()))]);
    let paths = [tools.to_owned(), uv.to_owned()].into_iter();
    let path = std::env::join_paths(paths.chain(std::env::split_paths(&std::env::var_os("PATH").unwrap()))).unwrap();
    let mut command = Command::new(if tool.lock[0] == "uv" { uv.join("uv") } else { tools.join(tool.lock[0]) });
    command.args(&tool.lock[1..]).current_dir(bench.path("app")).env("PATH", path).env("HOME", bench.path("home"));
    command
        .env("WORKON_HOME", bench.path("environments"))
        .env("PIPENV_NOSPIN", "1")
        .env("PIPENV_IGNORE_VIRTUALENVS", "1");
    command.env("UV_PYTHON_DOWNLOADS", "never").env("UV_CACHE_DIR", bench.path("uv-cache"));
    command.env("PIP_NO_INDEX", "0").env_remove("PIP_FIND_LINKS").env_remove("VIRTUAL_ENV");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{:?}: {}", tool.lock, said(&output));
    bench
}

fn build(bench: &Bench, uv: Option<&Path>) -> Output {
    let _ = std::fs::remove_file(bench.path("out/site.zip"));
    let mut command = bench.command(&["build", "--out", "out"]);
    command.env("UV_CACHE_DIR", bench.path("uv-cache")).env("UV_PYTHON_DOWNLOADS", "never");
    if let Some(uv) = uv {
        let path = std::env::var_os("PATH").unwrap();
        let paths = std::iter::once(uv.to_owned()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(paths).unwrap());
    }
    command.output().unwrap()
}

/// The packages in the zip, with their versions.
fn packed(bench: &Bench, uv: Option<&Path>) -> Vec<String> {
    let output = build(bench, uv);
    assert!(output.status.success(), "{}", said(&output));
    let names = contents(&bench.path("out/site.zip")).into_keys();
    names.filter_map(|name| Some(name.strip_suffix(".dist-info/METADATA")?.to_owned())).collect()
}

#[test]
fn each_lock_is_followed_and_an_old_one_is_refused() {
    let (Some(lockers), Some(uv)) = (tools("lockers", LOCKERS), tools("uv", UV)) else { return };
    for tool in &TOOLS {
        let index = index();
        let bench = locked(tool, &index, &lockers, &uv);
        go_on(&index);
        let project = std::fs::read_to_string(bench.path("app").join(tool.file)).unwrap();
        with_each_installer(|uv| {
            let form = format!("{:?} (uv: {})", tool.lock, uv.is_some());
            assert_eq!(packed(&bench, uv), ["extra-1.0", "leaf-1.0", "pure-1.0"], "{form}");
            for (from, to, words) in tool.changes {
                assert!(project.contains(from), "{form}: {from}");
                bench.write(&format!("app/{}", tool.file), &project.replace(from, to));
                let output = build(&bench, uv);
                let text = said(&output);
                // A runtime that the lock excludes is a mistake of the manifest.
                let code = if words.contains("for Python") { 2 } else { 1 };
                assert_eq!(output.status.code(), Some(code), "{form}: {text}");
                assert!(text.contains(words), "{form}: {text}");
                assert!(text.contains(&format!("update the lock: `{}`", tool.update)), "{form}: {text}");
            }
            bench.write(&format!("app/{}", tool.file), &project);
        });
    }
}

#[test]
fn a_lock_of_a_standard_is_followed_and_an_old_one_is_refused() {
    let Some(uv) = tools("uv", UV) else { return };
    let index = index();
    let bench = locked(&TOOLS[0], &index, &uv, &uv);
    let output = Command::new(uv.join("uv"))
        .args(["export", "--frozen", "--no-dev", "--no-emit-project", "-q", "-o", "pylock.toml"])
        .current_dir(bench.path("app"))
        .env("UV_PYTHON_DOWNLOADS", "never")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    std::fs::remove_file(bench.path("app/uv.lock")).unwrap();
    go_on(&index);
    let project = std::fs::read_to_string(bench.path("app/pyproject.toml")).unwrap();
    with_each_installer(|uv| {
        bench.write("app/pyproject.toml", &project);
        assert_eq!(packed(&bench, uv), ["extra-1.0", "leaf-1.0", "pure-1.0"], "uv: {}", uv.is_some());
        bench.write("app/pyproject.toml", &project.replace("'pure[more]'", "'pure[more]', 'other'"));
        let text = said(&build(&bench, uv));
        assert!(text.contains("requires `other`, which the lock does not have"), "{text}");
    });
}

#[test]
fn a_lock_counts_before_a_list_that_may_not_have_more() {
    let project = "[project]\nname = 'site'\nversion = '1'\ndependencies = ['leaf']\n";
    let lock = "[[package]]\nname = 'leaf'\nversion = '1.0'\n[metadata]\nlock_version = '4.5'\n";
    let index = index();
    go_on(&index);
    with_each_installer(|uv| {
        let files = [("pyproject.toml", project), ("pdm.lock", lock), ("requirements.txt", "leaf\n")];
        let bench = app(MANIFEST, &files);
        let build = || {
            let mut command = bench.command(&["build", "--out", "out"]);
            command.env("PIP_INDEX_URL", index.simple()).env("UV_DEFAULT_INDEX", index.simple());
            command.env("UV_CACHE_DIR", bench.path("uv-cache")).env("UV_PYTHON_DOWNLOADS", "never");
            if let Some(uv) = uv {
                let path = std::env::var_os("PATH").unwrap();
                let paths = std::iter::once(uv.to_owned()).chain(std::env::split_paths(&path));
                command.env("PATH", std::env::join_paths(paths).unwrap());
            }
            command.output().unwrap()
        };
        let output = build();
        assert!(output.status.success(), "{}", said(&output));
        assert!(contents(&bench.path("out/site.zip")).contains_key("leaf-1.0.dist-info/METADATA"));
        assert!(
            said(&output).contains("`requirements.txt` is not used, because `pdm.lock` is there"),
            "{}",
            said(&output)
        );
        bench.write("app/requirements.txt", "leaf\nwin; sys_platform == 'win32'\npure\n");
        let text = said(&build());
        assert!(text.contains("requirements.txt:3` requires `pure`, which the lock does not have"), "{text}");
        // The manifest decides.
        bench.write("deploy.toml", &format!("{MANIFEST}dependencies = 'app/requirements.txt'\n"));
        let output = build();
        assert!(output.status.success(), "{}", said(&output));
        assert!(contents(&bench.path("out/site.zip")).contains_key("pure-2.0.dist-info/METADATA"));
    });
}
