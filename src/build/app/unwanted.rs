//! What no package should carry: secrets, and what only the developer's machine has a use for.

use std::path::Path;

/// Why a file stays behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwanted {
    /// A secret; whoever means to deploy it has to say so, and hears that it was left out.
    Secret,
    /// Nothing that an app runs on.
    Clutter,
}

/// Directories and files by their whole name.
const SECRET_NAMES: [&str; 14] = [
    ".env",
    ".aws",
    ".azure",
    ".gcloud",
    ".gnupg",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".ssh",
    ".git-credentials",
    "credentials.json",
    "terraform.tfstate",
    "terraform.tfstate.backup",
];
/// Private keys, in the forms that tools give them.
const SECRET_ENDS: [&str; 6] = [".key", ".p12", ".pfx", ".jks", ".keystore", ".ppk"];
const SECRET_BEGINNINGS: [&str; 5] = [".env.", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"];
const CLUTTER_NAMES: [&str; 25] = [
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
    ".aws-sam",
    ".terraform",
    ".lamstream",
    ".venv",
    ".eslintcache",
];
const CLUTTER_ENDS: [&str; 7] = [".pyc", ".pyo", ".swp", ".swo", ".orig", ".iml", "~"];

/// Whether a file or directory of this name stays behind. `path` is where it lies, for those that only their content
/// tells.
pub fn judge(name: &str, path: &Path, is_directory: bool) -> Option<Unwanted> {
    let public_half = name.ends_with(".pub");
    let secret = SECRET_NAMES.contains(&name)
        || SECRET_ENDS.iter().any(|end| name.ends_with(end))
        || SECRET_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning) && !public_half)
        || (!is_directory && name.ends_with(".pem") && holds_a_private_key(path));
    // What a template of variables is called, which is there to be read.
    let template = [".env.example", ".env.sample", ".env.template"].contains(&name);
    if secret && !template {
        return Some(Unwanted::Secret);
    }
    let clutter = CLUTTER_NAMES.contains(&name)
        || CLUTTER_ENDS.iter().any(|end| name.ends_with(end))
        || (is_directory && path.join("pyvenv.cfg").is_file());
    (clutter || template).then_some(Unwanted::Clutter)
}

/// A certificate may go along, its key may not.
fn holds_a_private_key(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes.windows(11).any(|window| window == b"PRIVATE KEY"))
}

/// What there is to say of a secret that was left out.
pub fn note(file: &str) -> String {
    format!("`{file}` stays behind: it looks like a secret; name it in `include` if it is meant to go along")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_clutter_are_told_from_what_an_app_needs() {
        let judged = |name: &str| judge(name, Path::new("/nowhere"), false);
        for name in [".env", ".env.production", ".aws", "server.key", "id_rsa", "id_ed25519", ".npmrc", "store.p12"] {
            assert_eq!(judged(name), Some(Unwanted::Secret), "{name}");
        }
        for name in [".git", "main.cpython-313.pyc", "main.py~", ".main.py.swp", ".venv", ".env.example"] {
            assert_eq!(judged(name), Some(Unwanted::Clutter), "{name}");
        }
        for name in ["main.py", "environment.py", "keys.py", "monkey", "run.sh", "id_rsa.pub", "ca.pem", ".well-known"]
        {
            assert_eq!(judged(name), None, "{name}");
        }
    }

    #[test]
    fn what_only_the_content_tells() {
        let directory = tempfile::tempdir().unwrap();
        let pem = directory.path().join("server.pem");
        std::fs::write(&pem, "-----BEGIN CERTIFICATE-----\n").unwrap();
        assert_eq!(judge("server.pem", &pem, false), None);
        std::fs::write(&pem, "-----BEGIN RSA PRIVATE KEY-----\n").unwrap();
        assert_eq!(judge("server.pem", &pem, false), Some(Unwanted::Secret));
        std::fs::write(directory.path().join("pyvenv.cfg"), "").unwrap();
        assert_eq!(judge("anything", directory.path(), true), Some(Unwanted::Clutter));
    }
}
