//! Where the locks of yarn, pnpm, bun and npm get packages from: npm installs without following the other tools' locks.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::yaml;
use crate::{address, tool};

/// A lock's entry for one package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locked {
    pub version: String,
    /// The URL that it was fetched from, if the lock has it.
    pub resolved: Option<String>,
    pub integrity: Option<String>,
    /// The lock's file.
    pub lock: String,
}

#[derive(Debug, Default)]
pub struct Locks {
    /// By the name that they are installed under.
    pub packages: BTreeMap<String, Vec<Locked>>,
    /// What the project requires from outside any registry: name to place, such as `link:../six`, and the lock.
    pub elsewhere: BTreeMap<String, (String, String)>,
}

impl Locks {
    /// The locks in the given directories of the project. `needed` are names and versions.
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
            if let Some((text, file)) = text("bun.lock") {
                locks.add_bun(&text, &file);
            }
            for name in ["package-lock.json", "npm-shrinkwrap.json"] {
                text(name).iter().for_each(|(text, file)| locks.add_npm(text, file));
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
            // Berry records it for archives outside the registry's usual layout.
            let archive = || resolution?.split_once("__archiveUrl=")?.1.split('&').next();
            let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
            let resolved = resolved.or_else(|| archive().map(decoded));
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
        // The lock of a single project has its dependencies at the top level.
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

    /// JSON with trailing commas, which is YAML: `"six": ["six@1.0", "URL", {}, "sha512-…"]`, where an empty URL is the
    /// default registry, and `"six": ["six@file:../six", {}]`. The key of a nested package has both names.
    fn add_bun(&mut self, text: &str, file: &str) {
        let Some(lock) = yaml::value(text) else { return };
        for (key, entry) in lock["packages"].as_object().into_iter().flatten() {
            let text = |at: usize| entry[at].as_str().filter(|text| !text.is_empty());
            let Some(what) = text(0) else { continue };
            let version = name_of(what).and_then(|name| what.get(name.len() + 1..)).unwrap_or_default();
            let name = last_name(key);
            let is_from_registry = version.starts_with(|letter: char| letter.is_ascii_digit());
            if !is_from_registry && name == key {
                self.elsewhere.insert(name.to_owned(), (version.to_owned(), file.to_owned()));
            }
            let (resolved, integrity) = (text(1).filter(|text| text.contains("://")), text(3));
            let (resolved, integrity) = (resolved.map(str::to_owned), integrity.map(str::to_owned));
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

    /// Why an installed package is not the locked one: it has another hash, or comes from another registry although each
    /// lock has it from a private one.
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
                return Some(format!("`{}` has another hash for version {version}", same.lock));
            }
        }
        // Entries of other versions count only if no lock has this version.
        let is_same = |locked: &&Locked| locked.version == version;
        let same: Vec<&Locked> = locked.iter().filter(is_same).collect();
        let locked: Vec<&Locked> = if same.is_empty() { locked.iter().collect() } else { same };
        let private = |address: &str| registry(address, name).filter(|_| !address::is_public(address));
        let registries: Option<Vec<String>> =
            locked.iter().map(|locked| locked.resolved.as_deref().and_then(private)).collect();
        let registries = registries.filter(|registries| !registries.is_empty())?;
        let found = registry(resolved?, name)?;
        let lock = &locked.first()?.lock;
        (!registries.contains(&found)).then(|| format!("`{lock}` resolves it from `{}`", registries[0]))
    }
}

/// The host and path of a registry, from the URL of a package's file: one host may have several, such as
/// `host/npm/private` in `https://host/npm/private/@scope/six/-/six-1.0.tgz`.
fn registry(address: &str, name: &str) -> Option<String> {
    let host = address::host(address)?;
    let (_, after) = address.split_once("://")?;
    let path = after.split(['?', '#']).next()?.split_once('/').map_or("", |(_, path)| path);
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
    let is_own = |part: &str| part == name || name.rsplit('/').next() == Some(part);
    let mut parts: Vec<&str> = match path.split_once("/-/") {
        Some((before, _)) => {
            let mut parts: Vec<&str> = before.split('/').collect();
            parts.pop();
            parts
        }
        // Other registries repeat the package's name in the path.
        None => {
            let mut parts: Vec<&str> = path.split('/').collect();
            parts.pop();
            let own = parts.iter().rposition(|part| is_own(part));
            own.into_iter().for_each(|at| parts.truncate(at));
            parts
        }
    };
    parts.pop_if(|part| part.starts_with('@'));
    parts.retain(|part| !part.is_empty());
    Some(parts.iter().fold(host, |whole, part| format!("{whole}/{part}")))
}

/// `b` and `@s/b` of `a/b` and `a/@s/b`.
fn last_name(key: &str) -> &str {
    let Some((before, last)) = key.rsplit_once('/') else { return key };
    let start = before.rfind('/').map_or(0, |at| at + 1);
    if before[start..].starts_with('@') { &key[start..] } else { last }
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

    #[test]
    fn a_registry_is_a_host_and_a_path() {
        let locked = |resolved: &str| {
            let mut locks = Locks::default();
            locks.add_yarn(&format!("six@^1:\n  version \"1.0.0\"\n  resolved \"{resolved}#aa\"\n"), "yarn.lock", &[]);
            locks
        };
        let is_other =
            |name: &str, locked: &Locks, found: &str| locked.contradiction(name, "1.0.0", Some(found), None).is_some();
        let private = locked("https://h/api/npm/private/six/-/six-1.0.0.tgz");
        assert!(!is_other("six", &private, "https://h/api/npm/private/six/-/six-1.0.0.tgz"));
        assert!(!is_other("six", &private, "https://u:p@H/api/npm/private/six/-/six-1.0.0.tgz?x=1"));
        assert!(is_other("six", &private, "https://h/api/npm/public/six/-/six-1.0.0.tgz"));
        assert!(is_other("six", &private, "https://h/six/-/six-1.0.0.tgz"));
        for (one, name, expected) in [
            ("https://h/p/5/npm/@c/six/-/@c/six-1.tgz", "@c/six", "h/p/5/npm"),
            ("https://h/npm/@c%2fsix/-/six-1.tgz", "@c/six", "h/npm"),
            ("https://h/download/@c/six/1.0/0123abcd", "@c/six", "h/download"),
            ("https://h/files/six-1.0.tgz", "six", "h/files"),
            ("https://h/six.tgz", "six", "h"),
            ("https://h/npm/real/-/real-1.tgz", "alias", "h/npm"),
        ] {
            assert_eq!(registry(one, name).as_deref(), Some(expected), "{one}");
        }
        // Another version of another registry does not excuse it.
        let mut two = private;
        let public = format!("https://{}/six/-/six-2.0.0.tgz", address::PUBLIC[2].join("."));
        two.add_yarn(&format!("six@^2:\n  version \"2.0.0\"\n  resolved \"{public}\"\n"), "yarn.lock", &[]);
        assert!(is_other("six", &two, "https://h/api/npm/public/six/-/six-1.0.0.tgz"));
    }

    #[test]
    fn locks_of_bun_and_addresses_of_berry_are_read() {
        let mut locks = Locks::default();
        let bun = r#"{
  "lockfileVersion": 1,
  "workspaces": { "": { "name": "site", "dependencies": { "six": "^1" }, }, },
  "packages": {
    "six": ["six@1.0.0", "http://corp/six/-/six-1.0.0.tgz", { "dependencies": { "a": "1" } }, "sha512-aa"],
    "a/@c/b": ["@c/b@1.0.0", "http://corp/@c/b/-/b-1.0.0.tgz", {}, "sha512-bb"],
    "local": ["local@file:../local", {}],
    "plain": ["plain@1.0.0", "", {}, "sha512-cc"],
  }
}
"#;
        locks.add_bun(bun, "bun.lock");
        let at = |locks: &Locks, name: &str, resolved: &str, integrity: Option<&str>| {
            locks.contradiction(name, "1.0.0", Some(resolved), integrity)
        };
        assert!(at(&locks, "six", "http://other/six/-/six-1.0.0.tgz", None).unwrap().contains("from `corp`"));
        assert!(
            at(&locks, "six", "http://corp/six/-/six-1.0.0.tgz", Some("sha512-bb")).unwrap().contains("another hash")
        );
        assert!(at(&locks, "@c/b", "http://other/@c/b/-/b-1.0.0.tgz", None).is_some());
        assert_eq!(at(&locks, "six", "http://corp/six/-/six-1.0.0.tgz", Some("sha512-aa")), None);
        assert_eq!(at(&locks, "plain", "http://other/plain/-/plain-1.0.0.tgz", None), None);
        assert_eq!(locks.elsewhere["local"].0, "file:../local");
        let mut berry = Locks::default();
        let text = "\"six@npm:^1\":\n  version: 1.0.0\n  resolution: \"six@npm:1.0.0::__archiveUrl=http%3A%2F%2Fcorp%2Fsix%2F-%2Fsix-1.0.0.tgz\"\n";
        berry.add_yarn(text, "yarn.lock", &[]);
        assert!(at(&berry, "six", "http://other/six/-/six-1.0.0.tgz", None).is_some());
    }
}
