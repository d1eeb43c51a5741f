//! Files that no package should have: secrets, and files that only the developer's machine needs.

pub(crate) mod copies;
pub(crate) mod deployment;

use std::path::Path;

use crate::address;

/// Why a file is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unwanted {
    /// A secret: it is packaged only if `include` names it, and a note reports that it was left out.
    Secret,
    /// Something that no app needs at run time.
    Clutter,
    /// A directory that says of itself that it can be recreated. An app may need it anyway, so a note reports it.
    Cache,
}

/// Directories and files by their whole name, in lower case.
const SECRET_NAMES: [&str; 16] = [
    ".env",
    ".envrc",
    ".aws",
    ".azure",
    ".gcloud",
    ".gnupg",
    ".kube",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".ssh",
    ".dockercfg",
    ".git-credentials",
    "credentials.json",
    "secring.gpg",
];
/// A name that is secret in a certain directory.
const SECRET_PAIRS: [(&str, &str); 2] = [(".docker", "config.json"), (".config", "gcloud")];
/// Extensions of private keys.
const SECRET_ENDS: [&str; 7] = [".key", ".p8", ".p12", ".pfx", ".jks", ".keystore", ".ppk"];
const SECRET_BEGINNINGS: [&str; 7] = [".env.", ".env-", ".env_", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"];
/// Endings of templates for variables, which contain no secrets.
const TEMPLATE_ENDS: [&str; 3] = ["example", "sample", "template"];
const CLUTTER_NAMES: [&str; 27] = [
    ".git",
    ".gitignore",
    ".gitattributes",
    ".gitmodules",
    ".github",
    ".hg",
    ".svn",
    ".idea",
    ".vscode",
    ".vs",
    ".fleet",
    ".zed",
    ".settings",
    ".project",
    ".DS_Store",
    "Thumbs.db",
    ".editorconfig",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".tox",
    ".nox",
    ".coverage",
    ".lamstream",
    ".venv",
    ".eslintcache",
];
const CLUTTER_ENDS: [&str; 10] =
    [".pyc", ".pyo", ".swp", ".swo", ".swn", ".orig", ".iml", "~", ".sublime-project", ".sublime-workspace"];
/// Prefix of files that lamstream has not finished writing.
pub const UNFINISHED: &str = ".lamstream-";
/// In a virtual environment.
const VENV_MARK: &str = "pyvenv.cfg";
/// In a cache, such as cargo's `target`, or one of models.
const CACHE_MARK: &str = "CACHEDIR.TAG";

/// Source: "Cache Directory Tagging Specification".
const CACHE_TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# This directory is a cache of lamstream.\n";

/// Larger files are not keys, and are not read.
const KEY_LIMIT: u64 = 65_536;

/// Whether a file or directory is left out, by its name, by the target of a link, or by its content.
pub(crate) fn judge(path: &Path, is_directory: bool) -> Option<Unwanted> {
    let secret = by_name(path)
        .or_else(|| leads_to_a_secret(path).then_some(Unwanted::Secret))
        .or_else(|| (!is_directory && holds_a_key(path)).then_some(Unwanted::Secret));
    let is_marked = |mark: &str| is_directory && path.join(mark).is_file();
    let is_own_cache =
        || is_marked(CACHE_MARK) && std::fs::read(path.join(CACHE_MARK)).is_ok_and(|tag| tag == CACHE_TAG.as_bytes());
    secret
        .or_else(|| (is_marked(VENV_MARK) || is_own_cache()).then_some(Unwanted::Clutter))
        .or_else(|| is_marked(CACHE_MARK).then_some(Unwanted::Cache))
}

/// Marks lamstream's cache, if it exists, so that it never gets into a package. It may be in the app's directory, as on CI.
pub(crate) fn mark_cache(cache: &Path) {
    if cache.is_dir() && !cache.join(CACHE_MARK).exists() {
        // Only an app around the cache would notice that it is missing.
        let _ = std::fs::write(cache.join(CACHE_MARK), CACHE_TAG);
    }
}

/// The same by its name and that of its directory alone.
pub(crate) fn by_name(path: &Path) -> Option<Unwanted> {
    let name = path.file_name()?.to_string_lossy();
    let small = name.to_ascii_lowercase();
    let around = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let template = small.starts_with(".env") && TEMPLATE_ENDS.iter().any(|end| small.ends_with(end));
    if !template && copies::with_originals(&small).any(|name| is_secret(name, &around)) {
        return Some(Unwanted::Secret);
    }
    // Emacs locks a file with a dangling link.
    let of_emacs = name.starts_with(".#") || (name.len() > 1 && name.starts_with('#') && name.ends_with('#'));
    let clutter = copies::with_originals(&name).any(|name| CLUTTER_NAMES.contains(&name))
        || CLUTTER_ENDS.iter().any(|end| name.ends_with(end));
    let unfinished = name.starts_with(UNFINISHED);
    (clutter || of_emacs || template || unfinished).then_some(Unwanted::Clutter)
}

/// Whether a name, in lower case, is a secret's in a directory.
fn is_secret(name: &str, around: &str) -> bool {
    let public_half = name.ends_with(".pub");
    SECRET_NAMES.contains(&name)
        || deployment::is_secret(name)
        || SECRET_PAIRS.contains(&(around, name))
        || SECRET_ENDS.iter().any(|end| name.ends_with(end))
        || SECRET_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning) && !public_half)
}

/// A link's own name may be harmless. The common prefix of the link's path and its target's is not judged.
fn leads_to_a_secret(path: &Path) -> bool {
    if !path.is_symlink() {
        return false;
    }
    let around = path.parent().and_then(|parent| parent.canonicalize().ok());
    let (Some(around), Ok(target)) = (around, path.canonicalize()) else { return false };
    let common = target.components().zip(around.components()).take_while(|(one, other)| one == other).count();
    let own = target.components().count() - common;
    target.ancestors().take(own).any(|part| by_name(part) == Some(Unwanted::Secret))
}

/// A list of packages is a secret if it has a password, and a key is one whatever its file is called; a certificate is not.
fn holds_a_key(path: &Path) -> bool {
    // Reading a pipe would never end.
    let Ok(metadata) = path.metadata() else { return false };
    let is = |end: &str| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(end));
    if !metadata.is_file() || (metadata.len() > KEY_LIMIT && !is("pem") && !is_list(path)) {
        return false;
    }
    let Ok(bytes) = std::fs::read(path) else { return false };
    let text = String::from_utf8_lossy(&bytes);
    let begins = |line: &str| line.starts_with("-----BEGIN ") && line.contains("PRIVATE KEY");
    let first = text.trim_start_matches('\u{feff}').trim_start().lines().next().unwrap_or_default();
    begins(first)
        || (is_list(path) && address::holds_credentials(&text))
        || (is("pem") && text.contains("PRIVATE KEY"))
        || (is("json") && is_a_service_account(&text))
}

/// Lists of packages and settings of installers, whose URLs may have passwords.
fn is_list(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    const NAMES: [&str; 14] = [
        "pyproject.toml",
        "uv.toml",
        "uv.lock",
        "poetry.lock",
        "poetry.toml",
        "pdm.lock",
        "pdm.toml",
        "pip.conf",
        "pipfile",
        "pipfile.lock",
        "bunfig.toml",
        ".yarnrc",
        "setup.cfg",
        "pylock.toml",
    ];
    const NODE: [&str; 6] = [
        "package.json",
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "pnpm-workspace.yaml",
    ];
    copies::with_originals(&name).any(|name| {
        let is_requirements = name.contains("requirements") || name.contains("constraints");
        NAMES.contains(&name)
            || NODE.contains(&name)
            || (is_requirements && (name.ends_with(".txt") || name.ends_with(".in")))
    })
}

/// Google's credentials of a service account.
fn is_a_service_account(text: &str) -> bool {
    let is_one =
        |value: serde_json::Value| value["type"] == "service_account" && value["private_key"].as_str().is_some();
    text.contains("\"private_key\"") && serde_json::from_str(text).is_ok_and(is_one)
}

/// The note about a secret that was left out.
pub(crate) fn note(file: &str) -> String {
    format!("`{file}` is left out: it looks like a secret; add it to `include` if the app needs it")
}

/// The note about a cache that was left out.
pub(crate) fn note_of_cache(directory: &str) -> String {
    format!(
        "`{directory}` is left out: its `{CACHE_MARK}` says that it is a cache; add it to `include` if the app needs it"
    )
}

/// The note about a file that the manifest reads a value from.
pub(crate) fn note_of_value(file: &str) -> String {
    format!("`{file}` is left out: the manifest reads a value from it; add it to `include` if the app reads it too")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_are(expected: Option<Unwanted>, names: &str) {
        for name in names.split(' ') {
            assert_eq!(judge(&Path::new("/nowhere").join(name), false), expected, "{name}");
        }
    }

    #[test]
    fn secrets_and_clutter_are_distinguished_from_what_an_app_needs() {
        let secrets = ".env .env.production .aws server.key id_rsa id_ed25519 .npmrc store.p12";
        all_are(Some(Unwanted::Secret), secrets);
        let rarer =
            ".envrc .env-prod .env_local .ENV SERVER.KEY a.p8 .kube .docker/config.json .config/gcloud secring.gpg";
        all_are(Some(Unwanted::Secret), rarer);
        let copies = "credentials.json~ .npmrc.bak id_rsa.old server.key.bak.1 prod.tfvars.orig .ssh.backup .#.env";
        all_are(Some(Unwanted::Secret), copies);
        all_are(Some(Unwanted::Clutter), ".git.bak .gitignore.old");
        let clutter = ".git main.cpython-313.pyc main.py~ .main.py.swp .venv .env.example";
        all_are(Some(Unwanted::Clutter), clutter);
        all_are(Some(Unwanted::Clutter), "#main.py# .#main.py .main.py.swn x.sublime-project .zed .settings .project");
        let needed =
            "main.py environment.py keys.py monkey run.sh id_rsa.pub ca.pem .well-known config.json # .environment";
        all_are(None, needed);
    }

    #[test]
    fn what_only_the_content_tells() {
        let directory = tempfile::tempdir().unwrap();
        let judged = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            judge(&path, false)
        };
        assert_eq!(judged("server.pem", "-----BEGIN CERTIFICATE-----\n"), None);
        for (name, text) in [
            ("server.pem", "-----BEGIN CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\n"),
            ("deploy", "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n"),
            ("google.json", r#"{"type": "service_account", "private_key": "x"}"#),
        ] {
            assert_eq!(judged(name, text), Some(Unwanted::Secret), "{name}");
        }
        assert_eq!(judged("crypto.py", "KEY = '''-----BEGIN PRIVATE KEY-----'''\n"), None);
        assert_eq!(judged("data.json", r#"{"type": "account", "private_key": "x"}"#), None);
        for (mark, judged) in [(VENV_MARK, Unwanted::Clutter), (CACHE_MARK, Unwanted::Cache)] {
            let marked = directory.path().join(format!("with-{mark}"));
            std::fs::create_dir(&marked).unwrap();
            std::fs::write(marked.join(mark), "").unwrap();
            assert_eq!(judge(&marked, true), Some(judged));
        }
    }

    #[test]
    fn a_link_is_judged_by_where_it_leads_too() {
        let directory = tempfile::tempdir().unwrap();
        let (app, home) = (directory.path().join("app"), directory.path().join(".aws"));
        std::fs::create_dir_all(&app).unwrap();
        std::fs::create_dir_all(&home).unwrap();
        std::fs::write(home.join("config"), "x").unwrap();
        std::fs::write(app.join("plain"), "x").unwrap();
        for (link, target, judged) in [("a", "../.aws/config", Some(Unwanted::Secret)), ("b", "plain", None)] {
            std::os::unix::fs::symlink(target, app.join(link)).unwrap();
            assert_eq!(judge(&app.join(link), false), judged, "{link}");
        }
    }
}
