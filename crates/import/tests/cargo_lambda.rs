//! Configurations of cargo-lambda of all shapes, and the manifests that they become.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

#[path = "sam/lenient.rs"]
mod lenient;

use import::{Binary, Files, Imported, Options, Package, Workspace};
use lenient::Lenient;

const OPTIONS: Options<'_> =
    Options { app: "shop", region: None, account: None, template_directory: "", rules: &Lenient, files: &EnvFile("") };

/// The name of the only file that exists, which has variables.
struct EnvFile(&'static str);

impl Files for EnvFile {
    fn text(&self, path: &str) -> Option<String> {
        (path == self.0).then(|| "# comment\nexport A1=planted\nB1 = 'planted'\nA2=\n".to_owned())
    }

    fn is_directory(&self, _: &str) -> bool {
        false
    }
}

/// A package with one binary of its name, which uses Lambda's runtime.
fn package(name: &str, directory: &str, manifest: &str) -> Package {
    Package {
        name: name.to_owned(),
        directory: directory.to_owned(),
        path: directory.to_owned(),
        manifest: manifest.to_owned(),
        binaries: vec![Binary { name: name.to_owned(), missing_features: Vec::new() }],
        features: vec!["default".to_owned(), "lambda".to_owned(), "trace".to_owned()],
        dependencies: vec!["lambda_http".to_owned()],
    }
}

/// A crate that is a workspace by itself.
fn alone(manifest: &str) -> Workspace {
    Workspace { packages: vec![package("chat", "", manifest)], manifest: manifest.to_owned(), config: None }
}

fn import(workspace: &Workspace) -> Imported {
    import::cargo_lambda(workspace, OPTIONS).unwrap_or_else(|invalid| panic!("{invalid}"))
}

/// The import of a crate with this in its table.
fn of(metadata: &str) -> Imported {
    import(&alone(&format!("[package]\nname = \"chat\"\n{metadata}")))
}

/// The table of a function.
fn table(imported: &Imported, name: &str) -> toml::Table {
    let manifest: toml::Table =
        imported.manifest.parse().unwrap_or_else(|error| panic!("{error}\n{}", imported.manifest));
    manifest["functions"][name].as_table().unwrap().clone()
}

#[test]
fn a_crate_without_settings_is_a_function() {
    let imported = of("");
    assert!(imported.left_over.is_empty(), "{:?}", imported.left_over);
    assert_eq!(table(&imported, "chat"), "crate = '.'\ntimeout = 30".parse().unwrap());
    assert!(imported.manifest.contains("app = \"shop\"\n"), "{}", imported.manifest);
}

#[test]
fn what_is_deployed_and_how_it_is_built_has_keys() {
    let imported = of(r#"
[package.metadata.lambda.env]
RUST_LOG = "debug"
LIMIT = 5
[package.metadata.lambda.deploy]
memory = 512
timeout = 60
tracing = "Active"
description = "talks"
role = "arn:aws:iam::123456789012:role/chat"
layers = ["arn:aws:lambda:eu-central-1:123456789012:layer:certificates:3"]
tags = { team = "chat" }
env = { RUST_LOG = "info" }
log_retention = 14
enable_function_url = true
region = "eu-central-1"
s3_bucket = "deployments"
include = ["assets", "./data/words.txt"]
[package.metadata.lambda.deploy.vpc]
subnet_ids = ["subnet-1"]
security_group_ids = ["sg-1"]
ipv6_allowed_for_dual_stack = true
[package.metadata.lambda.build]
target = "aarch64-unknown-linux-musl"
features = ["lambda,trace"]
no_default_features = true
profile = "small"
locked = true
compiler = { type = "cargo_zigbuild" }
"#);
    assert!(imported.left_over.is_empty(), "{:?}", imported.left_over);
    let expected = r#"
crate = "."
architecture = "arm64"
include = ["assets", "data/words.txt"]
description = "talks"
memory = 512
timeout = 60
tracing = "active"
layers = ["arn:aws:lambda:eu-central-1:123456789012:layer:certificates:3"]
build = { target = "aarch64-unknown-linux-musl", linker = "zig", default_features = false, features = ["lambda", "trace"], profile = "small", locked = true }
vpc = { subnets = ["subnet-1"], security_groups = ["sg-1"], ipv6 = true }
url = { auth = "none", mode = "buffered" }
log = { retention_days = 14 }
role = { arn = "arn:aws:iam::123456789012:role/chat" }
tags = { team = "chat" }
environment = { RUST_LOG = "info", LIMIT = "5" }
"#;
    assert_eq!(table(&imported, "chat"), expected.parse().unwrap());
    for line in ["region = \"eu-central-1\"\n", "artifact_bucket = \"deployments\"\n"] {
        assert!(imported.manifest.contains(line), "{line}{}", imported.manifest);
    }
}

/// Every key that cargo-lambda 1.9.2 reads, with a value that matters.
const KEYS: &str = r#"
build.output_format = "zip"
build.lambda_dir = "dist"
build.arm64 = true
build.x86_64 = true
build.internal = true
build.flatten = "chat"
build.skip_target_check = true
build.compiler = "cross"
build.disable_optimizations = true
build.include = ["README.md"]
build.env = { A = "1" }
build.env_var = ["A=1"]
build.env_file = ".env"
build.quiet = true
build.jobs = 2
build.keep_going = true
build.profile = "small"
build.features = ["a"]
build.all_features = true
build.no_default_features = true
build.target = ["aarch64-unknown-linux-gnu.2.17"]
build.target_dir = "out"
build.message_format = ["json"]
build.verbose = 1
build.color = "always"
build.frozen = true
build.locked = true
build.offline = true
build.config = ["a=1"]
build.unstable_flags = ["x"]
build.timings = true
build.manifest_path = "Cargo.toml"
build.release = true
build.ignore_rust_version = true
build.unit_graph = true
build.packages = ["a"]
build.workspace = true
build.exclude = ["a"]
build.lib = true
build.bin = ["chat"]
build.bins = true
build.example = ["a"]
build.examples = true
build.test = ["a"]
build.tests = true
build.bench = ["a"]
build.benches = true
build.all_targets = true
deploy.profile = "dev"
deploy.region = "eu-central-1"
deploy.alias = "prod"
deploy.retry_attempts = 3
deploy.endpoint_url = "http://localhost:4566"
deploy.enable_function_url = true
deploy.memory = 512
deploy.timeout = 61
deploy.env = { A1 = "1" }
deploy.env_var = ["A1=1"]
deploy.env_file = ".env"
deploy.tracing = "active"
deploy.role = "arn:aws:iam::123456789012:role/a"
deploy.iam_role = "arn:aws:iam::123456789012:role/a"
deploy.layer = ["a"]
deploy.layers = ["a"]
deploy.vpc = { subnet_ids = ["a"] }
deploy.runtime = "provided.al2"
deploy.description = "a"
deploy.log_retention = 7
deploy.lambda_dir = "dist"
deploy.manifest_path = "Cargo.toml"
deploy.binary_path = "a"
deploy.s3_bucket = "a"
deploy.s3_key = "a"
deploy.internal = true
deploy.compatible_runtimes = ["a"]
deploy.output_format = "json"
deploy.tag = ["a=b"]
deploy.tags = { a = "b" }
deploy.include = ["README.md"]
deploy.dry = true
deploy.merge_env = true
deploy.name = "other"
deploy.remote_config = { region = "eu-central-1" }
env.A1 = "1"
watch.concurrency = 5
nonsense = 1
deploy.nonsense = 1
build.nonsense = 1
"#;

#[test]
fn no_key_is_dropped() {
    let without = of("").manifest;
    let dropped: Vec<&str> = KEYS
        .lines()
        .filter(|line| !line.is_empty())
        .filter(|line| of(&format!("[package.metadata.lambda]\n{line}\n")).manifest == without)
        .collect();
    assert!(dropped.is_empty(), "{dropped:#?}");
}

#[test]
fn what_is_left_over_has_its_place() {
    let imported = of("[package.metadata.lambda.deploy]\nmemory = 64\nmerge_env = true\nprofile = \"dev\"\n");
    let left: Vec<(usize, &str, bool)> =
        imported.left_over.iter().map(|left| (left.line, left.path.as_str(), left.blocks)).collect();
    let path = |key: &str| format!("package.metadata.lambda.deploy.{key}");
    assert_eq!(
        left,
        [
            (4, path("memory").as_str(), true),
            (5, path("merge_env").as_str(), true),
            (6, path("profile").as_str(), false)
        ]
    );
    assert!(imported.left_over.iter().all(|left| left.file == "Cargo.toml"));
}

#[test]
fn a_file_with_variables_stays_where_it_is() {
    let options = Options { files: &EnvFile(".env"), ..OPTIONS };
    let metadata = "[package.metadata.lambda.deploy]\nenv_file = \".env\"\nenv = { A2 = \"2\" }\n";
    let workspace = alone(&format!("[package]\nname = \"chat\"\n{metadata}"));
    let imported = import::cargo_lambda(&workspace, options).unwrap();
    assert!(!imported.manifest.contains("planted"), "{}", imported.manifest);
    let expected = "A1 = { env = \"A1\" }\nB1 = { env = \"B1\" }\nA2 = \"2\"\n";
    assert!(imported.manifest.contains(expected), "{}", imported.manifest);
    let [left] = &imported.left_over[..] else { panic!("{:?}", imported.left_over) };
    assert!(left.blocks && left.advice == "run `set -a; . ./.env; set +a` before each deploy", "{left}");
    let [left] = &import(&workspace).left_over[..] else { panic!("one is expected") };
    assert!(left.blocks && left.what == "`.env` cannot be read here", "{left}");
}

/// The strongest last: the file, the workspace, its binary, the package; or the package's binary instead.
#[test]
fn settings_come_from_the_strongest_place() {
    let root = "[workspace]\nmembers = [\"a\", \"b\"]\n[workspace.metadata.lambda.deploy]\nmemory = 256\ntimeout = 20\n\
                [workspace.metadata.lambda.bin.a.deploy]\ntimeout = 21\n";
    let a = "[package]\nname = \"a\"\n[package.metadata.lambda.deploy]\nmemory = 512\n";
    let b = "[package]\nname = \"b\"\n[package.metadata.lambda.deploy]\nmemory = 512\n\
             [package.metadata.lambda.bin.b.deploy]\ndescription = \"b's own\"\n";
    let config =
        "[deploy]\nmemory = 128\ntracing = \"active\"\n[staging.deploy]\nmemory = 1024\n[default.env]\nAB = \"1\"\n";
    let workspace = Workspace {
        packages: vec![package("a", "a", a), package("b", "libs/b", b)],
        manifest: root.to_owned(),
        config: Some(("CargoLambda.toml".to_owned(), config.to_owned())),
    };
    let imported = import(&workspace);
    let (one, other) = (table(&imported, "a"), table(&imported, "b"));
    let of =
        |table: &toml::Table, keys: [&str; 4]| keys.map(|key| table.get(key).cloned().map(|value| value.to_string()));
    let keys = ["crate", "memory", "timeout", "tracing"];
    let expected = |values: [&str; 4]| values.map(|value| Some(value.to_owned()));
    assert_eq!(of(&one, keys), expected(["\"a\"", "512", "21", "\"active\""]));
    assert_eq!(of(&other, keys), expected(["\"libs/b\"", "256", "20", "\"active\""]));
    assert_eq!(other["description"].as_str(), Some("b's own"));
    // In a context, the file's other tables do not count, and packages are as strong as ever.
    let manifest: toml::Table = imported.manifest.parse().unwrap();
    let staging = &manifest["stages"]["staging"]["functions"];
    assert_eq!(staging["a"]["environment"]["AB"].as_str(), Some("1"));
    assert!(staging["a"].get("memory").is_none(), "{staging}");
    let left = imported.left_over.iter().find(|left| left.path == "staging: functions.a.tracing").unwrap();
    assert_eq!((left.file.as_str(), left.blocks), ("CargoLambda.toml", false));
}

#[test]
fn each_binary_is_a_function_unless_it_is_none() {
    let manifest = "[package]\nname = \"shop\"\n[package.metadata.lambda.bin.get.env]\nWHAT = \"get\"\n";
    let mut shop = package("shop", "", manifest);
    shop.binaries =
        ["get", "put"].map(|name| Binary { name: name.into(), missing_features: vec!["lambda".into()] }).into();
    let mut tool = package("tool", "tool", "[package]\nname = \"tool\"\n");
    tool.dependencies.clear();
    let mut extension = package("watcher", "watcher", "[package]\nname = \"watcher\"\n");
    extension.dependencies = vec!["lambda-extension".to_owned()];
    let workspace = Workspace { packages: vec![shop, tool, extension], manifest: manifest.to_owned(), config: None };
    let imported = import(&workspace);
    let (get, put) = (table(&imported, "get"), table(&imported, "put"));
    assert_eq!((get["bin"].as_str(), put["bin"].as_str()), (Some("get"), Some("put")));
    assert_eq!(get["build"]["features"].to_string(), "[\"lambda\"]");
    assert!(get.get("environment").is_some() && put.get("environment").is_none());
    assert!(imported.manifest.contains("The binary `tool` of `tool` is left out"), "{}", imported.manifest);
    let [left] = &imported.left_over[..] else { panic!("{:?}", imported.left_over) };
    assert_eq!((left.path.as_str(), left.blocks), ("watcher", false));
}

#[test]
fn nothing_to_import_and_broken_files_are_errors() {
    let mut library = alone("[package]\nname = \"chat\"\n");
    library.packages[0].binaries.clear();
    let invalid = import::cargo_lambda(&library, OPTIONS).unwrap_err();
    assert_eq!(invalid.to_string(), "Cargo.toml: it has no binary that can become a function");
    assert_eq!(invalid.hints.len(), 1);
    let broken =
        Workspace { config: Some(("CargoLambda.toml".to_owned(), "a = 1\n[deploy\n".to_owned())), ..alone("") };
    let invalid = import::cargo_lambda(&broken, OPTIONS).unwrap_err();
    assert!(invalid.to_string().starts_with("CargoLambda.toml:2:"), "{invalid}");
}

/// A configuration that lost a line is another one or none: never a panic, and never a manifest that is none.
#[test]
fn what_is_left_of_a_configuration_is_one_or_an_error() {
    let all: String = KEYS.lines().map(|line| format!("{line}\n")).collect();
    for at in 0..all.len() {
        let text = format!("[package]\nname = \"chat\"\n[package.metadata.lambda]\n{}", &all[at..]);
        if let Ok(imported) = import::cargo_lambda(&alone(&text), OPTIONS) {
            assert!(imported.manifest.parse::<toml::Table>().is_ok(), "{}", imported.manifest);
        }
    }
}
