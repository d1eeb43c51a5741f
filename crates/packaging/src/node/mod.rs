//! Packages of Node: installed by the tool that owns their lock, and only from where the project declares them.

mod install;

mod project;
mod scripts;
mod tools;
mod workspace;

mod lock;
mod members;
mod registries;

mod yaml;

pub(crate) use install::{Installed, check, install};
pub(crate) use lock::is_lock;

/// What `next build` writes into the server of a standalone app, wherever that is copied.
const STANDALONE: &str = "__NEXT_PRIVATE_STANDALONE_CONFIG";

/// Whether a directory has all packages that its app needs: `next build` makes such a one with `output: "standalone"`, with
/// only the files of packages that the app uses.
pub(crate) fn is_complete(directory: &std::path::Path) -> bool {
    let server = || std::fs::read_to_string(directory.join("server.js"));
    directory.join("node_modules").is_dir()
        && directory.join(".next").is_dir()
        && server().is_ok_and(|text| text.contains(STANDALONE))
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn a_standalone_app_is_complete_wherever_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::create_dir_all(path("node_modules/next")).unwrap();
        std::fs::create_dir(path(".next")).unwrap();
        let server = "process.env.__NEXT_PRIVATE_STANDALONE_CONFIG = JSON.stringify(nextConfig)\n";
        std::fs::write(path("server.js"), server).unwrap();
        assert!(is_complete(directory.path()));
        // A server of the app's own needs all packages.
        std::fs::write(path("server.js"), "require('next')({})\n").unwrap();
        assert!(!is_complete(directory.path()));
        std::fs::write(path("server.js"), server).unwrap();
        std::fs::remove_dir_all(path("node_modules")).unwrap();
        assert!(!is_complete(directory.path()));
    }
}
