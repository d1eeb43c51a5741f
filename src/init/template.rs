//! The templates of `lamstream init --template`, whose files are in `templates/`.
//!
//! A directory with a `Cargo.toml` is not part of a published package, and a `.gitignore` counts where it is. So these
//! files have other names there.

use super::name::package_name;
use super::runtime::{self, Installed};

/// The files of an app to start from.
#[derive(Debug)]
pub struct Template {
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// The path of each file, and its text with placeholders.
    files: &'static [(&'static str, &'static str)],
}

macro_rules! template {
    ($name:literal, $about:literal, $($path:literal from $file:literal,)*) => {
        Template {
            name: $name,
            about: $about,
            files: &[$(($path, include_str!(concat!("../../templates/", $name, "/", $file))),)*],
        }
    };
}

pub const TEMPLATES: &[Template] = &[
    template! {
        "rust", "a Lambda function in Rust, with lambda_http",
        "Cargo.toml" from "crate.toml",
        "src/main.rs" from "src/main.rs",
        ".gitignore" from "gitignore",
        "README.md" from "README.md",
        "deploy.toml" from "deploy.toml",
    },
    template! {
        "rust-axum", "an axum server in Rust, without Lambda code",
        "Cargo.toml" from "crate.toml",
        "src/main.rs" from "src/main.rs",
        ".gitignore" from "gitignore",
        "README.md" from "README.md",
        "deploy.toml" from "deploy.toml",
    },
    template! {
        "fastapi", "a FastAPI app in Python",
        "main.py" from "main.py",
        "test_main.py" from "test_main.py",
        "requirements.txt" from "requirements.txt",
        ".gitignore" from "gitignore",
        "README.md" from "README.md",
        "deploy.toml" from "deploy.toml",
    },
    template! {
        "express", "an Express app for Node.js",
        "package.json" from "package.json",
        "app.js" from "app.js",
        "app.test.js" from "app.test.js",
        "server.js" from "server.js",
        ".gitignore" from "gitignore",
        "README.md" from "README.md",
        "deploy.toml" from "deploy.toml",
    },
    template! {
        "hono", "a Hono app for Node.js",
        "package.json" from "package.json",
        "app.js" from "app.js",
        "app.test.js" from "app.test.js",
        "server.js" from "server.js",
        ".gitignore" from "gitignore",
        "README.md" from "README.md",
        "deploy.toml" from "deploy.toml",
    },
    template! {
        "mcp-python", "an MCP server in Python, over streamable HTTP",
        "server.py" from "server.py",
        "test_server.py" from "test_server.py",
        "requirements.txt" from "requirements.txt",
        ".gitignore" from "gitignore",
        "README.md" from "README.md",
        "deploy.toml" from "deploy.toml",
    },
];

impl Template {
    /// The files for an app: their paths and texts.
    pub fn files(&self, app: &str, installed: &Installed) -> Vec<(&'static str, String)> {
        let values = [
            ("APP_NAME", app.to_owned()),
            ("PACKAGE_NAME", package_name(app)),
            ("PYTHON_RUNTIME", runtime::python(&[], &installed.python)),
            ("NODE_RUNTIME", runtime::node(&[], &installed.node)),
        ];
        let filled = |text: &str| values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
        self.files.iter().map(|(path, text)| (*path, filled(text))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    #[test]
    fn every_template_has_a_manifest_that_proves_that_it_streams() {
        for template in TEMPLATES {
            let files = template.files("3-Shop", &Installed::default());
            let text = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| text.as_str());
            let manifest = text("deploy.toml").expect(template.name);
            let parsed = parse(manifest, None).map_err(|problems| problems.render("deploy.toml", manifest));
            assert!(parsed.expect(template.name).functions[0].checks[0].streams, "{}", template.name);
            assert!(text("README.md").is_some_and(|text| text.starts_with("# 3-Shop\n") && text.lines().count() <= 6));
            for (path, text) in &files {
                assert!(!text.contains("_NAME") && !text.contains("_RUNTIME"), "{} {path}: {text}", template.name);
            }
        }
    }

    /// A file that is not listed would be left out in silence.
    #[test]
    fn every_file_of_every_template_is_included() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let names: Vec<_> = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), TEMPLATES.len(), "{names:?}");
        for template in TEMPLATES {
            let (mut open, mut count) = (vec![root.join(template.name)], 0);
            while let Some(directory) = open.pop() {
                for entry in std::fs::read_dir(directory).unwrap() {
                    let path = entry.unwrap().path();
                    assert_ne!(path.file_name(), Some("Cargo.toml".as_ref()), "a package would not include {path:?}");
                    if path.is_dir() { open.push(path) } else { count += 1 }
                }
            }
            assert_eq!(count, template.files.len(), "{}", template.name);
        }
    }
}
