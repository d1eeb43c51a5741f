//! Layers and their versions, and how functions refer to them.

use std::sync::LazyLock;

use http::Method;
use regex_lite::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, page, unknown_path};
use super::check::{check_description, is_name};
use super::code::{self, Upload};
use super::name::anchored;
use crate::clock;
use crate::options::ACCOUNT;
use crate::options::layer_file;
use crate::sandbox;
use crate::services::call::Call;
use crate::services::download;
use crate::services::paging::member;
use crate::wire::date;
use crate::wire::error::{Fault, Violation};
use crate::wire::partition::partition;
use crate::world::World;
use crate::world::configuration::{Layer, is_adapter};
use crate::world::layer::LayerVersion;

/// The ARN of a layer's version, as AWS writes it in its errors.
const VERSION: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)";

static VERSIONS: LazyLock<Regex> = LazyLock::new(|| anchored(VERSION));

/// How many layers a function may have.
const MOST: usize = 5;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Publish {
    content: Upload,
    #[serde(default)]
    description: String,
    license_info: Option<String>,
    #[serde(default)]
    compatible_runtimes: Vec<String>,
    #[serde(default)]
    compatible_architectures: Vec<String>,
}

/// Answers everything below `/2018-10-31/layers`.
pub(super) fn answer(call: &Call, method: &Method, rest: &[&str]) -> Answer {
    match (method.as_str(), rest) {
        ("GET", []) if call.query("find").as_deref() == Some("LayerVersion") => get_by_arn(call),
        ("GET", []) => list(call),
        ("POST", [name, "versions"]) => publish(call, &bare(name)?),
        ("GET", [name, "versions"]) => list_versions(call, &bare(name)?),
        ("GET", [name, "versions", number]) => get(call, &bare(name)?, number),
        ("DELETE", [name, "versions", number]) => delete(call, &bare(name)?, number),
        _ => Err(unknown_path(call)),
    }
}

/// A layer's name; clients may use its ARN instead.
fn bare(text: &str) -> Result<String, Fault> {
    let name = text.rsplit(':').next().unwrap_or_default();
    if is_name(name, 140) {
        return Ok(name.to_owned());
    }
    Err(Fault::validation(text, "layerName", "Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+"))
}

fn arn(region: &str, name: &str) -> String {
    format!("arn:{}:lambda:{region}:{ACCOUNT}:layer:{name}", partition(region))
}

fn publish(call: &Call, name: &str) -> Answer {
    let input: Publish = call.input()?;
    check_description(&input.description)?;
    let code = input.content.receive(call)?;
    call.change(|world| {
        let layer = world.region(&call.region).layers.entry(name.to_owned()).or_default();
        layer.last_version += 1;
        let version = LayerVersion {
            digest: code.digest,
            sha256: code.sha256,
            size: code.size,
            created: clock::now(),
            description: input.description,
            license: input.license_info,
            runtimes: input.compatible_runtimes,
            architectures: input.compatible_architectures,
        };
        let shown = whole(call, name, layer.last_version, &version);
        layer.versions.insert(layer.last_version, version);
        Ok((201, shown))
    })
}

fn get(call: &Call, name: &str, number: &str) -> Answer {
    call.read(|world| {
        let (number, version) = find(call, world, name, number)?;
        Ok((200, whole(call, name, number, version)))
    })
}

fn get_by_arn(call: &Call) -> Answer {
    let asked = call.query("Arn").unwrap_or_default();
    match asked.rsplit_once(':') {
        Some((layer, number)) if layer == arn(&call.region, layer.rsplit(':').next().unwrap_or_default()) => {
            get(call, &bare(layer)?, number)
        }
        _ if VERSIONS.is_match(&asked) => Err(Fault::not_found("The resource you requested does not exist.")),
        _ => Err(Fault::violated(&[Violation::pattern(&asked, "arn", VERSION)])),
    }
}

/// The filter of a list.
struct Wanted {
    runtime: Option<String>,
    architecture: Option<String>,
}

impl Wanted {
    fn read(call: &Call) -> Result<Self, Fault> {
        let wanted =
            Self { runtime: call.query("CompatibleRuntime"), architecture: call.query("CompatibleArchitecture") };
        if let Some(other) = wanted.architecture.as_deref().filter(|name| !["x86_64", "arm64"].contains(name)) {
            let constraint = "Member must satisfy enum value set: [x86_64, arm64]";
            return Err(Fault::validation(other, "compatibleArchitecture", constraint));
        }
        Ok(wanted)
    }

    fn has(&self, version: &LayerVersion) -> bool {
        let within =
            |asked: &Option<String>, named: &[String]| asked.as_ref().is_none_or(|asked| named.contains(asked));
        within(&self.runtime, &version.runtimes) && within(&self.architecture, &version.architectures)
    }
}

fn list(call: &Call) -> Answer {
    let wanted = Wanted::read(call)?;
    let layers = call.read(|world| {
        let layers = world.regions.get(&call.region).into_iter().flat_map(|region| &region.layers);
        let newest = layers.filter_map(|(name, layer)| {
            let newest = layer.versions.iter().rev().find(|(_, version)| wanted.has(version))?;
            Some((name, newest))
        });
        newest
            .map(|(name, (number, version))| {
                json!({
                    "LayerName": name, "LayerArn": arn(&call.region, name),
                    "LatestMatchingVersion": brief(call, name, *number, version),
                })
            })
            .collect()
    });
    page(call, "Layers", layers, member("LayerName"))
}

fn list_versions(call: &Call, name: &str) -> Answer {
    let wanted = Wanted::read(call)?;
    let versions = call.read(|world| {
        let layer = world.regions.get(&call.region).and_then(|region| region.layers.get(name));
        let versions = layer.into_iter().flat_map(|layer| layer.versions.iter().rev());
        let versions = versions.filter(|(_, version)| wanted.has(version));
        versions.map(|(number, version)| brief(call, name, *number, version)).collect()
    });
    page(call, "LayerVersions", versions, |item| {
        // The newest comes first.
        format!("{:020}", u64::MAX - item["Version"].as_u64().unwrap_or_default())
    })
}

/// On AWS, it is not an error if the version does not exist.
fn delete(call: &Call, name: &str, number: &str) -> Answer {
    let number = self::number(number)?;
    call.change(|world| {
        if let Some(layer) = world.region(&call.region).layers.get_mut(name) {
            layer.versions.remove(&number);
        }
        Ok((204, Value::Null))
    })
}

fn find<'a>(call: &Call, world: &'a World, name: &str, number: &str) -> Result<(u64, &'a LayerVersion), Fault> {
    let layer = world.regions.get(&call.region).and_then(|region| region.layers.get(name));
    let number = self::number(number)?;
    let found = layer.and_then(|layer| Some((number, layer.versions.get(&number)?)));
    found.ok_or_else(|| Fault::not_found("The resource you requested does not exist."))
}

/// A version's number, which is at least 1.
fn number(text: &str) -> Result<u64, Fault> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Fault::parameter("Layer Version Cannot be less than 1"))
}

/// One version in a list.
fn brief(call: &Call, name: &str, number: u64, version: &LayerVersion) -> Value {
    let mut shown = json!({
        "LayerVersionArn": format!("{}:{number}", arn(&call.region, name)),
        "Version": number,
        "Description": version.description,
        "CreatedDate": date::lambda(version.created),
    });
    let lists = [("CompatibleRuntimes", &version.runtimes), ("CompatibleArchitectures", &version.architectures)];
    for (member, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        shown[member] = json!(list);
    }
    if let Some(license) = &version.license {
        shown["LicenseInfo"] = json!(license);
    }
    shown
}

fn whole(call: &Call, name: &str, number: u64, version: &LayerVersion) -> Value {
    let mut shown = brief(call, name, number, version);
    shown["LayerArn"] = json!(arn(&call.region, name));
    shown["Content"] = json!({
        "Location": download::address(call, &version.digest),
        "CodeSha256": version.sha256,
        "CodeSize": version.size,
    });
    shown
}

/// The layers that a function names: published in this cloud, the adapter's, or copies of other accounts' layers.
pub(super) fn used(call: &Call, arns: &[String]) -> Result<Vec<Layer>, Fault> {
    if arns.len() > MOST {
        return Err(Fault::parameter(format!("Cannot reference more than {MOST} layers.")));
    }
    if arns.iter().any(|arn| !VERSIONS.is_match(arn)) {
        let constraint = format!(
            "Member must satisfy constraint: [Member must have length less than or equal to 2048, \
             Member must have length greater than or equal to 1, \
             Member must satisfy regular expression pattern: {VERSION}, Member must not be null]"
        );
        return Err(Fault::validation(&format!("[{}]", arns.join(", ")), "layers", constraint));
    }
    let layers = arns.iter().map(|arn| one(call, arn)).collect::<Result<_, _>>()?;
    let layer = |arn: &String| arn.rsplit_once(':').map(|(layer, _)| layer.to_owned());
    for (at, arn) in arns.iter().enumerate() {
        if let Some(other) = arns[at + 1..].iter().find(|other| layer(other) == layer(arn)) {
            return Err(Fault::parameter(format!(
                "Two different versions of the same layer are not allowed to be referenced in the same function. \
                 {arn} and {other} are versions of the same layer."
            )));
        }
    }
    Ok(layers)
}

fn one(call: &Call, arn: &str) -> Result<Layer, Fault> {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", _, "lambda", region, account, "layer", name, number] = parts[..] else {
        return Err(Fault::parameter(format!("Layer version ARN is not valid: {arn}")));
    };
    let layer = |digest: Option<String>, size| Layer { arn: arn.to_owned(), digest, size };
    if is_adapter(arn) {
        sandbox::adapter(&call.cloud.host)
            .map_err(|error| Fault::new(400, "LocalAdapterNotFound", error.to_string()))?;
        return Ok(layer(None, 0));
    }
    if account != ACCOUNT {
        return copied(call, arn);
    }
    if region != call.region {
        return Err(Fault::parameter(format!(
            "Layers are not in the same region as the function. Layers are expected to be in region {}.",
            call.region
        )));
    }
    let found = call.read(|world| {
        find(call, world, name, number).map(|(_, found)| {
            call.keep_code(&found.digest);
            found.clone()
        })
    });
    let found = found.map_err(|_| Fault::parameter(format!("Layer version {arn} does not exist.")))?;
    Ok(layer(Some(found.digest), found.size))
}

/// A layer of another account, if there is a copy of it in [`Options::layers`](crate::options::Options::layers).
fn copied(call: &Call, arn: &str) -> Result<Layer, Fault> {
    let copy = call.options().layers.as_ref().map(|copies| copies.join(layer_file(arn)));
    let Some(zip) = copy.and_then(|copy| std::fs::read(copy).ok()) else {
        let message = format!("The layer version {arn} is of another account, and the local cloud has no copy of it");
        return Err(Fault::new(400, "LocalLayerNotFound", message));
    };
    let code = code::keep(call, &zip)?;
    Ok(Layer { arn: arn.to_owned(), digest: Some(code.digest), size: code.size })
}
