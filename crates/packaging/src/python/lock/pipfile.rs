//! `Pipfile.lock`: its default packages, which are all that the project needs at run time.

use std::path::Path;

use serde_json::Value;

use super::graph;
use crate::digest;
use crate::error::BuildError;
use crate::python::dependency::Dependency;
use crate::python::requirement::normalised;
use crate::python::sources::{self, Source};
use crate::python::target::Target;
use crate::{address, tool};

pub(super) const UPDATE: &str = "pipenv lock";
/// Tables of a `Pipfile` that are not packages, or have another name in the lock.
const NO_PACKAGES: [&str; 7] = ["source", "requires", "scripts", "pipenv", "pipfile", "packages", "dev-packages"];

/// The packages to install, with their digests and sources, and a note if the lock was made for another Python.
///
/// # Errors
/// When a file cannot be read, or the lock does not match the `Pipfile`.
pub(super) fn packages(
    lock: &Path,
    target: &Target,
    version: &str,
    notes: &mut Vec<String>,
) -> Result<Vec<Dependency>, BuildError> {
    let invalid =
        |error: serde_json::Error| BuildError::new(format!("cannot read `{}`", lock.display())).because(error);
    let text = tool::text(lock)?;
    let table: Value = serde_json::from_str(&text).map_err(invalid)?;
    refuse_stale(lock, &table)?;
    if let Some(python) = table["_meta"]["requires"]["python_version"].as_str().filter(|python| *python != version) {
        notes.push(format!(
            "`{}` was made for Python {python}: packages that only {version} needs may be missing",
            lock.display()
        ));
    }
    let sources: Vec<Value> = table["_meta"]["sources"].as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for (name, entry) in table["default"].as_object().into_iter().flatten() {
        let text = |key: &str| entry[key].as_str().unwrap_or_default();
        let holds = target.holds(text("markers"), []).ok_or_else(|| {
            BuildError::new(format!("cannot read `{}`", lock.display()))
                .because(format!("`{name}`: `{}` is not a valid marker", text("markers")))
        })?;
        if holds {
            found.push(package(lock, name, entry, &sources)?);
        }
    }
    Ok(found)
}

fn package(lock: &Path, name: &str, entry: &Value, sources: &[Value]) -> Result<Dependency, BuildError> {
    let hashes = entry["hashes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let version = entry["version"].as_str().filter(|version| *version != "*").unwrap_or_default();
    Ok(Dependency {
        name: normalised(name),
        // The lock lists what they need, too.
        extras: String::new(),
        specifier: version.to_owned(),
        condition: String::new(),
        hashes: hashes.map(|hash| (String::new(), hash.to_owned())).collect(),
        source: source(lock, name, entry, sources)?,
        place: lock.display().to_string(),
    })
}

/// Its path or repository, the index that it names, or the first one.
fn source(lock: &Path, name: &str, entry: &Value, sources: &[Value]) -> Result<Source, BuildError> {
    let text = |key: &str| entry[key].as_str().map(str::to_owned);
    let (directory, subdirectory) = (tool::around(lock), text("subdirectory"));
    if let Some(address) = text("git") {
        return Ok(Source::Git { address, revision: text("ref"), subdirectory });
    }
    if let Some(kind) = ["hg", "svn", "bzr"].into_iter().find(|kind| entry[*kind].is_string()) {
        let error = BuildError::new(format!("cannot install `{name}` of `{}`: it comes from `{kind}`", lock.display()));
        return Err(error.hint("build its wheel and publish it to an index, or put it into the directory"));
    }
    if let Some(path) = text("path").or_else(|| text("file")) {
        return Ok(match path.contains("://") {
            true => Source::Archive { address: path, subdirectory },
            false => sources::of_path(directory.join(path)),
        });
    }
    let named = text("index");
    let is_meant = |source: &&Value| named.is_none() || source["name"].as_str() == named.as_deref();
    let Some(found) = sources.iter().find(is_meant) else {
        return match named {
            Some(index) => Err(BuildError::new(format!("cannot install `{name}` of `{}`", lock.display()))
                .because(format!("it comes from the index `{index}`, which the lock does not declare"))
                .hint(format!("update the lock: `{UPDATE}`"))),
            None => Ok(Source::Default),
        };
    };
    let address = found["url"].as_str().unwrap_or_default();
    if address::is_public(address) {
        return Ok(Source::Default);
    }
    let index = found["name"].as_str().unwrap_or_default().to_owned();
    Ok(Source::Index { name: index, address: Some(address::with_variables(address)) })
}

/// The lock has a digest of the `Pipfile` that it was made from.
fn refuse_stale(lock: &Path, table: &Value) -> Result<(), BuildError> {
    let file = lock.with_file_name("Pipfile");
    let Some(locked) = table["_meta"]["hash"]["sha256"].as_str().filter(|_| file.is_file()) else { return Ok(()) };
    let now = tool::table(&file, &tool::text(&file)?)?;
    if digest::sha256(digested(&now)) == locked {
        return Ok(());
    }
    let missing = now.get("packages").and_then(toml::Value::as_table).into_iter().flatten();
    let missing = missing.map(|(name, _)| name).find(|name| table["default"].get(normalised(name)).is_none());
    let cause = match missing {
        Some(name) => format!("it does not have `{name}`, which `{}` requires", file.display()),
        None => format!("`{}` was changed after it was made", file.display()),
    };
    Err(graph::stale(lock, &file, UPDATE).because(cause))
}

/// What Pipenv takes the digest of: JSON as Python writes it, with sorted keys and without spaces.
fn digested(pipfile: &toml::Table) -> String {
    let at = |key: &str| pipfile.get(key).map_or("{}".to_owned(), json);
    let sources = pipfile.get("source").map_or("[]".to_owned(), json);
    let mut parts = vec![
        ("_meta".to_owned(), format!("{{\"requires\":{},\"sources\":{sources}}}", at("requires"))),
        ("default".to_owned(), at("packages")),
        ("develop".to_owned(), at("dev-packages")),
    ];
    let others = pipfile.iter().filter(|(key, _)| !NO_PACKAGES.contains(&key.as_str()));
    parts.extend(others.map(|(key, value)| (key.clone(), json(value))));
    object(parts)
}

fn json(value: &toml::Value) -> String {
    match value {
        toml::Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(",")),
        toml::Value::Table(table) => object(table.iter().map(|(key, value)| (key.clone(), json(value))).collect()),
        toml::Value::String(text) => string(text),
        other => other.to_string(),
    }
}

fn object(mut parts: Vec<(String, String)>) -> String {
    parts.sort();
    let parts: Vec<String> = parts.into_iter().map(|(key, value)| format!("{}:{value}", string(&key))).collect();
    format!("{{{}}}", parts.join(","))
}

/// Python escapes everything that is not ASCII.
fn string(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    let mut found = String::new();
    for letter in quoted.chars() {
        match letter {
            letter if letter.is_ascii() => found.push(letter),
            letter => {
                letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| found.push_str(&format!("\\u{unit:04x}")))
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;
    use crate::runtime::{Platform, Runtime};

    /// With the digests that Pipenv 2026.6.1 gives it.
    const PIPFILE: &str = "[[source]]\nname = 'corp'\nurl = 'http://corp/simple'\nverify_ssl = true\n\
        [packages]\nLeaf = '*'\nsix = {version = '>=1', markers = \"sys_platform == 'linux'\"}\n";

    fn found(pipfile: &str, lock: &str) -> Result<(Vec<Dependency>, Vec<String>), BuildError> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("Pipfile"), pipfile).unwrap();
        let file = directory.path().join("Pipfile.lock");
        std::fs::write(&file, lock).unwrap();
        let target = Target::of(&Platform::on_lambda(Runtime::parse("python3.13").unwrap(), Architecture::X86_64));
        let mut notes = Vec::new();
        Ok((packages(&file, &target, "3.13", &mut notes)?, notes))
    }

    fn lock(pipfile: &str) -> String {
        let hash = digest::sha256(digested(&pipfile.parse().unwrap()));
        format!(
            r#"{{"_meta": {{"hash": {{"sha256": "{hash}"}}, "requires": {{"python_version": "3.11"}},
            "sources": [{{"name": "corp", "url": "http://corp/simple"}}, {{"name": "other", "url": "http://o/simple"}}]}},
            "default": {{"leaf": {{"version": "==1.0", "hashes": ["sha256:aa"], "index": "other"}},
              "six": {{"version": "==1.16", "markers": "sys_platform == 'linux'", "extras": ["x"]}},
              "win": {{"version": "==1", "markers": "sys_platform == 'win32'"}},
              "own": {{"git": "https://h/own", "ref": "abc"}}}},
            "develop": {{"pytest": {{"version": "==8"}}}}}}"#
        )
    }

    #[test]
    fn a_lock_gives_its_default_packages_from_their_indexes() {
        let (all, notes) = found(PIPFILE, &lock(PIPFILE)).unwrap();
        let lines: Vec<String> = all.iter().map(Dependency::requirement).collect();
        assert_eq!(lines, ["leaf==1.0", "own", "six==1.16"]);
        let of = |at: usize| all[at].source.shown();
        assert_eq!(
            (of(0), of(2)),
            ("the index `other` (http://o/simple)".into(), "the index `corp` (http://corp/simple)".into())
        );
        assert!(matches!(&all[1].source, Source::Git { revision: Some(revision), .. } if revision == "abc"));
        assert!(notes[0].contains("was made for Python 3.11"), "{notes:?}");
    }

    #[test]
    fn a_lock_of_another_pipfile_is_refused() {
        let error = found(&format!("{PIPFILE}httpx = '*'\n"), &lock(PIPFILE)).unwrap_err();
        assert!(error.message.contains("Pipfile.lock`: it does not match") && error.caused_by[0].contains("`httpx`"));
        let error = found(&PIPFILE.replace("'*'", "'>1'"), &lock(PIPFILE)).unwrap_err();
        assert!(error.caused_by[0].contains("was changed after"), "{error:?}");
        assert_eq!(error.hints, ["update the lock: `pipenv lock`"]);
    }

    #[test]
    fn the_digest_is_that_of_pipenv() {
        let text = "[scripts]\nrun = 'x'\n[packages]\nb = '*'\na = {version = '>=1', extras = ['ü'], editable = true}\n[docs]\nc = '*'\n";
        assert_eq!(
            digested(&text.parse().unwrap()),
            r#"{"_meta":{"requires":{},"sources":[]},"default":{"a":{"editable":true,"extras":["\u00fc"],"version":">=1"},"b":"*"},"develop":{},"docs":{"c":"*"}}"#
        );
    }
}
