//! The schema, judged by what reads it: a library for JSON schemas, and the language servers of editors, Tombi and Taplo.

use super::fixtures::{manifests, root};
use super::keys::{places, with};
use super::python::environment;
use lamstream::manifest::keys::ROOT;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const REQUIREMENTS: &str = "jsonschema==4.26.0\ntaplo==0.9.3\ntombi==1.9.6\n";

/// Prints the names of the files that a library refuses.
const JSONSCHEMA: &str = "import json, sys, tomllib, jsonschema\n\
    schema = json.load(open(sys.argv[1]))\n\
    jsonschema.Draft7Validator.check_schema(schema)\n\
    validator = jsonschema.Draft7Validator(schema)\n\
    refused = lambda path: any(validator.iter_errors(tomllib.load(open(path, 'rb'))))\n\
    print('\\n'.join(path for path in sys.argv[2:] if refused(path)))";

/// The schema and manifests in a directory of their own.
struct Editors {
    bin: PathBuf,
    directory: tempfile::TempDir,
}

impl Editors {
    fn new(bin: PathBuf, texts: &[(String, String)]) -> Editors {
        let directory = tempfile::tempdir().unwrap();
        fs::copy(root().join("docs/deploy.schema.json"), directory.path().join("deploy.schema.json")).unwrap();
        for (name, text) in texts {
            fs::write(directory.path().join(name), format!("#:schema ./deploy.schema.json\n{text}")).unwrap();
        }
        Editors { bin, directory }
    }

    fn program(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command.args(arguments).current_dir(self.directory.path()).env("NO_COLOR", "1");
        command
    }

    /// The files that each validator refuses. All of them find the schema by the line in the file, or are given it.
    fn refused(&self, names: &[String]) -> [BTreeSet<String>; 3] {
        let library = self.program("python", &["-c", JSONSCHEMA, "deploy.schema.json"]).args(names).output().unwrap();
        assert!(library.status.success(), "{}", String::from_utf8_lossy(&library.stderr));
        let library = String::from_utf8(library.stdout).unwrap().lines().map(str::to_owned).collect();
        let alone = |program: &str, arguments: &[&str], name: &String| {
            let output = self.program(program, arguments).arg(name).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
            assert!(!said.contains("failed to read") && !said.contains("schema not found"), "{program} {name}: {said}");
            !output.status.success()
        };
        let of = |program: &str, arguments: &[&str]| {
            names.iter().filter(|name| alone(program, arguments, name)).cloned().collect()
        };
        let schema = url::Url::from_file_path(self.directory.path().join("deploy.schema.json")).unwrap();
        [library, of("tombi", &["lint", "--offline"]), of("taplo", &["check", "--schema", schema.as_str()])]
    }
}

fn named(kind: &str) -> Vec<(String, String)> {
    let name = |path: &Path| format!("{kind}_{}", path.file_name().unwrap().to_string_lossy());
    manifests(kind).into_iter().map(|(path, text)| (name(&path), text)).collect()
}

/// Manifests that are right are accepted; of the others, those are refused whose mistake a schema can know.
#[test]
fn editors_take_what_the_parser_takes_and_agree_about_the_rest() {
    let Some(bin) = environment("schema", REQUIREMENTS) else { return };
    let mut texts = named("good");
    texts.push(("good_sample.toml".to_owned(), fs::read_to_string(root().join("deploy.toml")).unwrap()));
    texts.extend(named("bad").into_iter().filter(|(_, text)| text.parse::<toml::Table>().is_ok()));
    let names: Vec<String> = texts.iter().map(|(name, _)| name.clone()).collect();
    let [library, tombi, taplo] = Editors::new(bin, &texts).refused(&names);
    assert_eq!(library.iter().find(|name| name.starts_with("good_")), None);
    assert_eq!(tombi, library);
    assert_eq!(taplo, library);
    assert!(library.len() >= 60, "{library:?}");
    for mistake in ["memory_too_large", "memory_as_string", "unknown_key_at_the_root", "architecture_misspelt"] {
        assert!(library.contains(&format!("bad_{mistake}.toml")), "{mistake}");
    }
}

/// A key that the schema leaves out would be accepted with any value.
#[test]
fn a_wrong_type_of_any_key_is_refused() {
    let Some(bin) = environment("schema", REQUIREMENTS) else { return };
    let places = places("", ROOT);
    let text = |(nth, (place, key)): (usize, &(String, &lamstream::manifest::keys::Key))| {
        (format!("{nth}-{}.toml", key.name), with(place, key.name))
    };
    let texts: Vec<(String, String)> = places.iter().enumerate().map(text).collect();
    let names: BTreeSet<String> = texts.iter().map(|(name, _)| name.clone()).collect();
    let editors = Editors::new(bin, &texts);
    let library = editors.program("python", &["-c", JSONSCHEMA, "deploy.schema.json"]).args(&names).output().unwrap();
    let refused: BTreeSet<String> = String::from_utf8(library.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(names.difference(&refused).collect::<Vec<_>>(), Vec::<&String>::new());
}
