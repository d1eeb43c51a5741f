//! AWS's own API models against what a manifest may say: limits, words, patterns and runtimes.
//!
//! The versions of the models are pinned. `LAMSTREAM_NEWEST_MODELS=1` takes the newest instead, and shows what changed.

use super::python::{newest, tools};
use lamstream::manifest::keys::{Key, Keys, ROOT, Value};
use lamstream::manifest::{parse, runtimes};
use lamstream::stack::Runtime;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::process::Command;

const REQUIREMENTS: &str = include_str!("models.txt");
const SCRIPT: &str = include_str!("models.py");
/// Runtimes that no function can be made with any more, and whose names manifests never had.
const BEFORE_OUR_TIME: &[&str] = &[
    "custom",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "nodejs",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "provided",
];
/// The last day whose retirements are in `src/manifest/runtimes.rs`.
const RETIREMENTS_UNTIL: &str = "2026-11-29";

struct Models {
    found: Json,
    differences: Vec<String>,
}

impl Models {
    fn shape(&self, service: &str, name: &str) -> &Json {
        &self.found[service][name]
    }

    fn differs(&mut self, what: &str, model: impl std::fmt::Debug, ours: impl std::fmt::Debug) {
        self.differences.push(format!("{what}: AWS has {model:?}, a manifest {ours:?}"));
    }

    /// A limit of the model: what is as large is accepted, and what is larger is not.
    fn limit(&mut self, service: &str, shape: &str, manifest: impl Fn(usize) -> String) {
        let Some(most) = self.shape(service, shape)["max"].as_u64() else {
            return self.differs(&format!("{service} {shape}"), "no maximum", "one");
        };
        self.limit_of(&format!("{service} {shape}"), most as usize, manifest);
    }

    fn limit_of(&mut self, what: &str, most: usize, manifest: impl Fn(usize) -> String) {
        let accepts = |size| parse(&manifest(size), None).is_ok();
        if !accepts(most) || accepts(most + 1) {
            let ours = (0..=2 * most).rev().find(|size| accepts(*size));
            self.differs(what, most, ours);
        }
    }

    /// The words of an enum, however they are spelled.
    fn words(&mut self, service: &str, shape: &str, path: &[&str]) {
        let plain = |word: &str| word.to_lowercase().replace(['-', '_'], "");
        let model: BTreeSet<String> =
            strings(&self.shape(service, shape)["enum"]).iter().map(|word| plain(word)).collect();
        let Value::Word(words) = &key(path).value else { panic!("{path:?} has no words") };
        let ours: BTreeSet<String> = words.iter().map(|word| plain(word)).collect();
        if model != ours {
            self.differs(&format!("{service} {shape}"), model, ours);
        }
    }

    /// The largest number that a text names between two phrases.
    fn documented(&self, service: &str, shape: &str, member: &str, before: &str, after: &str) -> Option<u32> {
        let shape = self.shape(service, shape);
        let text = shape["about"][member].as_str().or_else(|| shape["documentation"].as_str())?;
        let (_, rest) = text.split_once(before)?;
        rest.split_once(after)?.0.replace(',', "").trim().parse().ok()
    }
}

fn strings(list: &Json) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

/// The key of a function at a path.
fn key(path: &[&str]) -> &'static Key {
    let find = |keys: Keys, name: &str| keys.iter().flat_map(|group| group.keys).find(|key| key.name == name);
    let mut keys = find(ROOT, "functions").unwrap().value.keys();
    let (last, outer) = path.split_last().unwrap();
    for name in outer {
        keys = find(keys, name).unwrap().value.keys();
    }
    find(keys, last).unwrap_or_else(|| panic!("no key {path:?}"))
}

fn function(keys: &str) -> String {
    format!("app = \"a\"\n[functions.f]\ncrate = \"f\"\n{keys}\n")
}

/// An array of so many different strings.
fn array(count: usize, one: impl Fn(usize) -> String) -> String {
    format!("{:?}", (0..count).map(one).collect::<Vec<_>>())
}

#[test]
fn a_manifest_has_the_limits_words_and_runtimes_of_the_models() {
    let installed = match std::env::var_os("LAMSTREAM_NEWEST_MODELS") {
        Some(_) => newest("newest-models", REQUIREMENTS),
        None => tools("models", REQUIREMENTS),
    };
    let Some(bin) = installed else { return };
    let output = Command::new(bin.join("python")).args(["-c", SCRIPT]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut models = Models { found: serde_json::from_slice(&output.stdout).unwrap(), differences: Vec::new() };
    numbers(&mut models);
    sizes(&mut models);
    names(&mut models);
    words(&mut models);
    retention(&mut models);
    runtime_names(&mut models);
    retirements(&mut models);
    let (versions, differences) = (&models.found["versions"], models.differences.join("\n"));
    assert!(differences.is_empty(), "{versions}:\n{differences}");
}

fn numbers(models: &mut Models) {
    let range = |models: &Models, shape: &str| {
        let shape = models.shape("lambda", shape);
        (shape["min"].as_u64().map(|min| min as u32), shape["max"].as_u64().map(|max| max as u32))
    };
    // The models' maxima of the first three are those of functions on Lambda Managed Instances.
    let timeout =
        models.documented("lambda", "CreateFunctionRequest", "Timeout", "maximum allowed value is ", " seconds");
    let storage = models.documented("lambda", "EphemeralStorage", "", "512 and ", " MB");
    for (name, shape, most) in [
        ("timeout", "Timeout", timeout),
        ("ephemeral_storage", "EphemeralStorageSize", storage),
        ("memory", "MemorySize", Some(10_240)),
    ] {
        let Value::Number(ours, _) = &key(&[name]).value else { panic!("{name} is not a number") };
        let (min, max) = range(models, shape);
        if (min, most) != (Some(*ours.start()), Some(*ours.end())) || max < most {
            models.differs(name, (min, most, max), ours);
        }
    }
    let Value::Number(ages, _) = &key(&["url", "cors", "max_age"]).value else { panic!("max_age is not a number") };
    let (min, max) = range(models, "MaxAge");
    if (min, max) != (Some(*ages.start()), Some(*ages.end())) {
        models.differs("max_age", (min, max), ages);
    }
}

fn sizes(models: &mut Models) {
    models.limit("lambda", "Description", |size| function(&format!("description = \"{}\"", "d".repeat(size))));
    models.limit("lambda", "Handler", |size| {
        let package = "app = \"a\"\n[functions.f]\npackage = \"f\"\nruntime = \"python3.13\"\n";
        format!("{package}handler = \"m.{}\"\n", "h".repeat(size.saturating_sub(2)))
    });
    models.limit("lambda", "LogGroup", |size| function(&format!("log.group = \"{}\"", "g".repeat(size))));
    let vpc = |subnets, groups| {
        let (subnets, groups) = (array(subnets, |n| format!("subnet-{n}")), array(groups, |n| format!("sg-{n}")));
        function(&format!("vpc = {{ subnets = {subnets}, security_groups = {groups} }}"))
    };
    models.limit("lambda", "SubnetIds", |count| vpc(count, 1));
    models.limit("lambda", "SecurityGroupIds", |count| vpc(1, count));
    let system = |path: &str| {
        let arn = "arn:aws:elasticfilesystem:eu-central-1:123456789012:access-point/fsap-0123456789abcdef0";
        format!("{{ arn = \"{arn}\", path = \"{path}\" }}")
    };
    let systems = |systems: &[String]| {
        let vpc = "vpc = { subnets = [\"subnet-1\"], security_groups = [\"sg-1\"] }";
        function(&format!("{vpc}\nfile_systems = [{}]", systems.join(", ")))
    };
    models.limit("lambda", "FileSystemConfigList", |count| {
        systems(&(0..count).map(|n| system(&format!("/mnt/d{n}"))).collect::<Vec<_>>())
    });
    models.limit("lambda", "LocalMountPath", |size| {
        systems(&[system(&format!("/mnt/{}", "d".repeat(size.saturating_sub(5))))])
    });
    let cors =
        |key: &str, values: String| function(&format!("url = {{ auth = \"none\", cors = {{ {key} = {values} }} }}"));
    for key in ["allow_headers", "expose_headers"] {
        models.limit("lambda", "HeadersList", |count| cors(key, array(count, |n| format!("x-{n}"))));
    }
    models.limit("lambda", "Header", |size| cors("allow_headers", array(1, |_| "h".repeat(size))));
    models.limit("lambda", "AllowOriginsList", |count| {
        cors("allow_origins", array(count, |n| format!("https://{n}.example.com")))
    });
    models.limit("lambda", "Origin", |size| {
        cors("allow_origins", array(1, |_| format!("https://{}", "o".repeat(size.saturating_sub(8)))))
    });
    const METHODS: [&str; 7] = ["GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*"];
    models.limit("lambda", "AllowMethodsList", |count| {
        cors("allow_methods", array(count, |n| METHODS[n % METHODS.len()].into()))
    });
}

fn names(models: &mut Models) {
    let tag =
        |name: usize, value: usize| function(&format!("tags = {{ {:?} = {:?} }}", "t".repeat(name), "v".repeat(value)));
    for (service, name, value) in
        [("lambda", "TagKey", "TagValue"), ("iam", "tagKeyType", "tagValueType"), ("logs", "TagKey", "TagValue")]
    {
        models.limit(service, name, |size| tag(size, 1));
        models.limit(service, value, |size| tag(1, size));
    }
    // The function is called `a-` and its name in the manifest, and so is its role.
    models.limit("iam", "roleNameType", |size| {
        format!("app = \"a\"\n[functions.{}]\ncrate = \"f\"\n", "f".repeat(size.saturating_sub(2)))
    });
    // The manifest's rules were written from these.
    for (service, shape, pattern) in [
        ("lambda", "EnvironmentVariableName", "[a-zA-Z]([a-zA-Z0-9_])+"),
        ("lambda", "Handler", r"[^\s]+"),
        ("lambda", "Alias", "(?!^[0-9]+$)([a-zA-Z0-9-_]+)"),
        ("lambda", "StatementId", "([a-zA-Z0-9-_]+)"),
        ("lambda", "SubnetId", "subnet-[0-9a-z]*"),
        ("lambda", "SecurityGroupId", "sg-[0-9a-zA-Z]*"),
        ("lambda", "LocalMountPath", "/mnt/[a-zA-Z0-9-_.]+"),
        ("lambda", "TagValue", r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"),
        ("iam", "tagValueType", r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"),
        ("logs", "TagValue", r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"),
        ("iam", "roleNameType", r"[\w+=,.@-]+"),
        ("logs", "LogGroupName", r"[\.\-_/#A-Za-z0-9]+"),
    ] {
        let model = models.shape(service, shape)["pattern"].as_str().unwrap_or_default().to_owned();
        if model != pattern {
            models.differs(&format!("the pattern of {service} {shape}"), model, pattern);
        }
    }
}

fn words(models: &mut Models) {
    for (shape, path) in [
        ("Architecture", &["architecture"][..]),
        ("TracingMode", &["tracing"]),
        ("FunctionUrlAuthType", &["url", "auth"]),
        ("InvokeMode", &["url", "mode"]),
        ("LogFormat", &["log", "format"]),
        ("ApplicationLogLevel", &["log", "level"]),
        ("SystemLogLevel", &["log", "system_level"]),
    ] {
        models.words("lambda", shape, path);
    }
}

/// The model has them in a sentence only.
fn retention(models: &mut Models) {
    let text = models.shape("logs", "Days")["documentation"].as_str().unwrap_or_default();
    let list = text.split_once("Possible values are: ").and_then(|(_, rest)| rest.split_once(".</p>"));
    let numbers = list.map_or("", |(list, _)| list).split(|letter: char| !letter.is_ascii_digit());
    let model: Vec<u32> = numbers.filter_map(|number| number.parse().ok()).collect();
    let accepts = |days: &u32| parse(&function(&format!("log = {{ retention_days = {days} }}")), None).is_ok();
    let ours: Vec<u32> = (0..=4000).filter(accepts).collect();
    if model != ours {
        models.differs("retention_days", model, ours);
    }
}

fn runtime_names(models: &mut Models) {
    let model = strings(&models.shape("lambda", "Runtime")["enum"]);
    let refused: BTreeSet<&str> =
        model.iter().map(String::as_str).filter(|name| Runtime::parse(name).is_none()).collect();
    let known: BTreeSet<&str> = BEFORE_OUR_TIME.iter().copied().collect();
    if refused != known {
        let new: Vec<&&str> = refused.symmetric_difference(&known).collect();
        models.differences.push(format!("runtimes that a manifest cannot name, or that are gone: {new:?}"));
    }
}

fn retirements(models: &mut Models) {
    let newest = std::env::var_os("LAMSTREAM_NEWEST_MODELS").is_some();
    let mut model = Vec::new();
    for (name, dates) in models.found["lifecycle"].as_object().unwrap() {
        let date = |which: &str| dates[which].as_str().unwrap_or("never").to_owned();
        let ended = date("deprecated");
        // Those to come are only shown, because AWS moves their dates.
        let is_past = ended.as_str() <= RETIREMENTS_UNTIL || newest && ended <= today();
        // Only images have .NET 9.
        if is_past && Runtime::parse(name).is_some() && name != "dotnet9" {
            model.push([name.clone(), ended, date("create-block"), date("update-block")]);
        }
    }
    let own =
        |one: &runtimes::Retirement| [one.runtime, one.ended, one.creation_ends, one.updates_end].map(str::to_owned);
    let ours: Vec<[String; 4]> = runtimes::RETIRED.iter().map(own).collect();
    for one in model.iter().filter(|one| !ours.contains(one)) {
        models.differences.push(format!("a retirement that is not in src/manifest/runtimes.rs: {one:?}"));
    }
    for one in ours.iter().filter(|one| !model.contains(one)) {
        models.differences.push(format!("a retirement that AWS does not have: {one:?}"));
    }
}

fn today() -> String {
    let output = Command::new("date").arg("+%Y-%m-%d").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
