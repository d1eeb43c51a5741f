//! What the locks of yarn, pnpm and npm say of where packages come from, for an install that does not follow these locks.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::{address, tool, yaml};

/// What a lock has for one package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locked {
    pub version: String,
    /// Where it was fetched, if the lock says so.
    pub resolved: Option<String>,
    pub integrity: Option<String>,
    /// The lock's file.
    pub lock: String,
}

#[derive(Debug, Default)]
pub struct Locks {
    /// By name, as installed.
    pub packages: BTreeMap<String, Vec<Locked>>,
    /// What the project requires and does not come from a registry: name to place, such as `link:../six`, and the lock.
    pub elsewhere: BTreeMap<String, (String, String)>,
}

impl Locks {
    /// The locks in the project's directory and in those above it that belong to it. `needed` are names and versions.
    pub fn of(list: &Path, directories: &[std::path::PathBuf], needed: &[(&str, &str)]) -> Locks {
        let mut locks = Locks::default();
        let around = tool::around(list);
        for directory in directories {
            let text = |name: &str| {
                let file = directory.join(name);
                tool::text(&file).ok().map(|text| (text, file.display().to_string()))
            };
            if let Some((text, file)) = text("yarn.lock") {
                locks.add_yarn(&text, &file, needed);
            }
            if let Some((text, file)) = text("pnpm-lock.yaml") {
                let inner = around.canonicalize().ok();
                let inner = inner.and_then(|around| around.strip_prefix(directory).ok().map(Path::to_owned));
                let inner = inner.filter(|inner| !inner.as_os_str().is_empty());
                locks.add_pnpm(&text, &file, inner.as_deref().and_then(Path::to_str).unwrap_or("."));
            }
            if let Some((text, file)) = text("package-lock.json") {
                locks.add_npm(&text, &file);
            }
        }
        locks
    }

    /// Classic: `six@^1.0:` and indented `resolved "…"`. Berry: YAML with `resolution: "six@npm:1.0"`.
    fn add_yarn(&mut self, text: &str, file: &str, needed: &[(&str, &str)]) {
        let mut entries = Vec::<(Vec<String>, BTreeMap<String, String>)>::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            if !line.starts_with(' ') {
                let keys = line.trim_end_matches(':').split(", ");
                let keys =
                    keys.flat_map(|key| key.trim_matches('"').split(", ").map(str::to_owned).collect::<Vec<_>>());
                entries.push((keys.map(|key| key.trim_matches('"').to_owned()).collect(), BTreeMap::new()));
            } else if let (Some((_, fields)), false) = (entries.last_mut(), line.starts_with("   ")) {
                let line = line.trim();
                let pair = line.split_once(": ").or_else(|| line.split_once(' '));
                fields.extend(pair.map(|(key, value)| (key.to_owned(), value.trim().trim_matches('"').to_owned())));
            }
        }
        for (keys, fields) in entries {
            let Some(name) = keys.first().and_then(|key| name_of(key)).map(str::to_owned) else { continue };
            let resolution = fields.get("resolution").and_then(|text| text.get(name.len() + 1..));
            let is_needed = needed.iter().any(|(needed, version)| {
                keys.iter()
                    .any(|key| *key == format!("{needed}@{version}") || *key == format!("{needed}@npm:{version}"))
            });
            let place = resolution.filter(|text| !text.starts_with("npm:")).or_else(|| {
                let key = keys.first()?.get(name.len() + 1..)?;
                ["file:", "link:", "workspace:", "portal:"].iter().any(|kind| key.starts_with(kind)).then_some(key)
            });
            if let Some(place) = place.filter(|_| is_needed) {
                self.elsewhere.insert(name.clone(), (place.to_owned(), file.to_owned()));
            }
            let resolved = fields.get("resolved").map(|text| text.split('#').next().unwrap_or_default().to_owned());
            let locked = Locked {
                version: fields.get("version").cloned().unwrap_or_default(),
                resolved,
                integrity: fields.get("integrity").cloned(),
                lock: file.to_owned(),
            };
            self.packages.entry(name).or_default().push(locked);
        }
    }

    fn add_pnpm(&mut self, text: &str, file: &str, inner: &str) {
        let Some(lock) = yaml::value(text) else { return };
        // A lock of one project has its packages at the top.
        let importer = lock["importers"].get(inner).unwrap_or(&lock);
        for key in ["dependencies", "optionalDependencies"] {
            for (name, entry) in importer[key].as_object().into_iter().flatten() {
                let version = entry.as_str().or_else(|| entry["version"].as_str()).unwrap_or_default();
                if ["link:", "file:"].iter().any(|kind| version.starts_with(kind)) || version.contains("://") {
                    self.elsewhere.insert(name.clone(), (version.to_owned(), file.to_owned()));
                }
            }
        }
        for (key, entry) in lock["packages"].as_object().into_iter().flatten() {
            let key = key.trim_start_matches('/').split('(').next().unwrap_or_default();
            let Some((name, version)) = key.rsplit_once('@').filter(|(name, _)| !name.is_empty()) else { continue };
            let text = |key: &str| entry["resolution"][key].as_str().map(str::to_owned);
            let (resolved, integrity) = (text("tarball"), text("integrity"));
            let locked = Locked { version: version.to_owned(), resolved, integrity, lock: file.to_owned() };
            self.packages.entry(name.to_owned()).or_default().push(locked);
        }
    }

    fn add_npm(&mut self, text: &str, file: &str) {
        let lock: Value = serde_json::from_str(text).unwrap_or_default();
        for (place, entry) in lock["packages"].as_object().into_iter().flatten() {
            let Some((_, name)) = place.rsplit_once("node_modules/") else { continue };
            let text = |key: &str| entry[key].as_str().map(str::to_owned);
            let (resolved, integrity) = (text("resolved"), text("integrity"));
            let version = text("version").unwrap_or_default();
            let locked = Locked { version, resolved, integrity, lock: file.to_owned() };
            self.packages.entry(name.to_owned()).or_default().push(locked);
        }
    }

    /// Why an installed package is not the one that a lock means: it has other bytes, or comes from the public registry
    /// although each lock has it from another.
    pub fn contradiction(
        &self,
        name: &str,
        version: &str,
        resolved: Option<&str>,
        integrity: Option<&str>,
    ) -> Option<String> {
        let locked = self.packages.get(name)?;
        let digest = |text: &str| text.split_whitespace().next().map(str::to_owned);
        let kind = |text: &str| text.split('-').next().map(str::to_owned);
        for same in locked.iter().filter(|locked| locked.version == version) {
            let (Some(wanted), Some(found)) = (same.integrity.as_deref().and_then(digest), integrity.and_then(digest))
            else {
                continue;
            };
            if wanted == found {
                return None;
            }
            if kind(&wanted) == kind(&found) {
                return Some(format!("`{}` has other bytes for version {version}", same.lock));
            }
        }
        let host = |address: &str| address::host(address).filter(|_| !address::is_public(address));
        let hosts: Option<Vec<String>> =
            locked.iter().map(|locked| locked.resolved.as_deref().and_then(host)).collect();
        let hosts = hosts.filter(|hosts| !hosts.is_empty())?;
        let found = address::host(resolved?)?;
        let lock = &locked.first()?.lock;
        (!hosts.contains(&found)).then(|| format!("`{lock}` has it from `{}`", hosts[0]))
    }
}

/// The name in `name@version` or `@scope/name@version`.
fn name_of(key: &str) -> Option<&str> {
    let at = key.get(1..)?.find('@')? + 1;
    Some(&key[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_say_what_is_local() {
        let elsewhere = |name: &str, text: &str, needed: &[(&str, &str)]| {
            let place = tempfile::tempdir().unwrap();
            std::fs::write(place.path().join(name), text).unwrap();
            let list = place.path().join("package.json");
            std::fs::write(&list, "{}").unwrap();
            let directory = place.path().canonicalize().unwrap();
            Locks::of(&list, &[directory], needed)
                .elsewhere
                .into_iter()
                .map(|(name, (place, _))| format!("{name} {place}"))
                .collect::<Vec<_>>()
        };
        let pnpm = "importers:\n  .:\n    dependencies:\n      six:\n        specifier: ^1\n        version: link:../six\n      a:\n        version: 1.0.0\n";
        assert_eq!(elsewhere("pnpm-lock.yaml", pnpm, &[]), ["six link:../six"]);
        let old = "dependencies:\n  six: link:../six\n  a: 1.0.0\n";
        assert_eq!(elsewhere("pnpm-lock.yaml", old, &[]), ["six link:../six"]);
        let berry =
            "\"six@npm:^1, six@workspace:six\":\n  version: 0.0.0-use.local\n  resolution: \"six@workspace:six\"\n";
        assert_eq!(elsewhere("yarn.lock", berry, &[("six", "^1")]), ["six workspace:six"]);
        assert_eq!(elsewhere("yarn.lock", berry, &[("other", "^1")]), Vec::<String>::new());
        let registry = "\"six@npm:^1\":\n  version: 1.0.0\n  resolution: \"six@npm:1.0.0\"\n";
        assert_eq!(elsewhere("yarn.lock", registry, &[("six", "^1")]), Vec::<String>::new());
    }

    #[test]
    fn another_package_than_the_locked_one_is_seen() {
        let mut locks = Locks::default();
        locks.add_yarn("\"@c/six@^1\", \"@c/six@^1.0\":\n  version \"1.0.0\"\n  resolved \"http://corp/six.tgz#aa\"\n  integrity sha512-aa\n", "yarn.lock", &[]);
        let at = |version: &str, resolved: &str, integrity: &str| {
            locks.contradiction("@c/six", version, Some(resolved), Some(integrity)).is_some()
        };
        assert!(!at("1.0.0", "http://corp/six.tgz", "sha512-aa"));
        assert!(at("1.0.0", "http://corp/six.tgz", "sha512-bb"));
        assert!(at("9.0.0", &format!("https://{}/six.tgz", address::PUBLIC[2].join(".")), "sha512-bb"));
        assert!(!at("9.0.0", "http://corp/six-9.tgz", "sha512-bb"));
    }
}
