//! One function as the manifest has it.

use super::attachments;
use super::build::Build;
use super::check::Check;
use super::code::{self, Source};
use super::environment;
use super::outside::Outside;
use super::role::RoleSource;
use super::section::{Entry, Section};
use super::web::Web;
use super::{tags, url};
use crate::stack::{Architecture, Attachments, Environment, FunctionUrl, LogFormat, Runtime, Tags};
use std::collections::BTreeSet;
use toml::Spanned;

pub(super) const NAME: &str = "letters, digits, `-` and `_`";

const DEFAULT_MEMORY: u32 = 128;
/// AWS's own default of 3 seconds would cut nearly every stream.
const DEFAULT_TIMEOUT: u32 = 60;
const DEFAULT_EPHEMERAL_STORAGE: u32 = 512;
const DEFAULT_RETENTION_DAYS: u32 = 30;
const DEFAULT_KEEP_RELEASES: u32 = 5;
const DESCRIPTION_LIMIT: usize = 256;
const LAYER_LIMIT: usize = 5;
/// What CloudWatch Logs lets one choose from.
const RETENTION_DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// One function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub source: Source,
    pub runtime: Runtime,
    /// What the runtime calls, where that does not follow from the rest.
    pub handler: Option<String>,
    /// There for a web server, which the adapter stands before.
    pub web: Option<Web>,
    pub architecture: Architecture,
    pub build: Build,
    /// MB.
    pub memory: u32,
    /// Seconds.
    pub timeout: u32,
    /// MB of `/tmp`.
    pub ephemeral_storage: u32,
    pub description: String,
    /// ARNs of layer versions, in the order in which they are unpacked.
    pub layers: Vec<String>,
    pub environment: Environment,
    /// Variables that are not in the environment yet: their values come from outside.
    pub outside: Vec<Outside>,
    pub url: Option<FunctionUrl>,
    /// `None` keeps logs for ever.
    pub retention_days: Option<u32>,
    pub log_format: LogFormat,
    pub role: RoleSource,
    /// The user's own.
    pub tags: Tags,
    /// Reserved concurrency.
    pub concurrency: Option<u32>,
    /// How many instances are kept warm.
    pub provisioned_concurrency: Option<u32>,
    pub attachments: Attachments,
    /// How many versions stay when a newer one is live.
    pub keep_releases: u32,
    /// In the manifest's order; there is one at least exactly where there is a URL.
    pub checks: Vec<Check>,
}

impl Function {
    /// `account` is the only one that may be deployed to.
    pub(super) fn read(entry: &Entry<'_>, account: Option<&str>) -> Option<Function> {
        let name = entry.name;
        if !is_name(name) {
            entry.problem_with_name(format!("`{name}` is no name for a function, expected {NAME}"));
        }
        let mut keys = entry.section(format!("the function `{name}`"))?;
        let source = code::read_source(&mut keys);
        let (runtime, handler) = code::read_runtime(&mut keys);
        let architectures = Architecture::ALL.map(|architecture| (architecture.as_str(), architecture));
        let architecture = match keys.entry("architecture") {
            Some(entry) => entry.one_of(&architectures).map(|architecture| architecture.into_inner()),
            None => Some(Architecture::X86_64),
        };
        let web = Web::read(&mut keys, architecture);
        let build = Build::read(&mut keys, architecture);
        let mut number = |key, range, unit| keys.entry(key).and_then(|entry| entry.integer(range, unit));
        let memory = number("memory", 128..=10_240, "MB");
        let timeout = number("timeout", 1..=900, "seconds");
        let ephemeral_storage = number("ephemeral_storage", 512..=10_240, "MB");
        let concurrency = number("concurrency", 0..=i32::MAX as u32, "");
        let provisioned = number("provisioned_concurrency", 1..=i32::MAX as u32, "");
        let keep_releases = number("keep_releases", 1..=1000, "versions");
        refuse_more_than_reserved(&keys, concurrency.as_ref(), provisioned.as_ref());
        let (retention_days, log_format) = read_log(&mut keys);
        let url = url::read(&mut keys);
        let ours = web.as_ref().map(|web| web.variables(&runtime, url.as_ref())).unwrap_or_default();
        let (environment, outside) = environment::read(&mut keys, &ours);
        if let Some(web) = &web {
            web.refuse_contradictions(&keys, &runtime, url.as_ref());
        }
        let function = Function {
            name: name.to_owned(),
            source,
            runtime,
            handler,
            architecture: architecture.unwrap_or(Architecture::X86_64),
            build,
            memory: memory.map_or(DEFAULT_MEMORY, |memory| memory.into_inner()),
            timeout: timeout.map_or(DEFAULT_TIMEOUT, |timeout| timeout.into_inner()),
            ephemeral_storage: ephemeral_storage.map_or(DEFAULT_EPHEMERAL_STORAGE, |storage| storage.into_inner()),
            description: read_description(&mut keys),
            layers: read_layers(&mut keys, web.is_some()),
            web,
            environment,
            outside,
            url,
            retention_days,
            log_format,
            role: RoleSource::read(&mut keys, account),
            tags: tags::read(&mut keys),
            concurrency: concurrency.map(|concurrency| concurrency.into_inner()),
            provisioned_concurrency: provisioned.map(|provisioned| provisioned.into_inner()),
            attachments: attachments::read(&mut keys),
            keep_releases: keep_releases.map_or(DEFAULT_KEEP_RELEASES, |keep| keep.into_inner()),
            checks: Check::read_all(&mut keys),
        };
        keys.finish();
        Some(function)
    }
}

/// What is kept warm is a part of what is reserved.
fn refuse_more_than_reserved(keys: &Section<'_>, reserved: Option<&Spanned<u32>>, provisioned: Option<&Spanned<u32>>) {
    let (Some(reserved), Some(provisioned)) = (reserved, provisioned) else { return };
    let (most, wanted) = (reserved.get_ref(), provisioned.get_ref());
    if wanted > most {
        let message = format!(
            "`provisioned_concurrency` is {wanted}, expected at most the `concurrency` that is reserved, {most}"
        );
        keys.problem_at(provisioned.span(), message);
    }
}

pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn read_description(keys: &mut Section<'_>) -> String {
    let Some(entry) = keys.entry("description") else { return String::new() };
    let Some(text) = entry.string("a string") else { return String::new() };
    let length = text.get_ref().chars().count();
    if length > DESCRIPTION_LIMIT {
        entry.problem(format!("`description` has {length} characters, expected at most {DESCRIPTION_LIMIT}"));
    }
    text.into_inner().to_owned()
}

/// `adapted` functions have one layer more.
fn read_layers(keys: &mut Section<'_>, adapted: bool) -> Vec<String> {
    const EXPECTED: &str = "ARNs of layer versions, such as `arn:aws:lambda:eu-central-1:123456789012:layer:NAME:1`";
    let Some(entry) = keys.entry("layers") else { return Vec::new() };
    let layers = entry.strings(EXPECTED);
    let limit = LAYER_LIMIT - usize::from(adapted);
    if layers.len() > limit {
        let beside = if adapted { " beside the adapter" } else { "" };
        entry.problem(format!("`layers` holds {} layers, expected at most {limit}{beside}", layers.len()));
    }
    let mut seen = BTreeSet::new();
    for layer in &layers {
        let arn = layer.get_ref();
        match layer_of(arn) {
            None => entry.problem_at(layer.span(), format!("`layers` holds `{arn}`, expected {EXPECTED}")),
            Some(of) if !seen.insert(of) => {
                entry.problem_at(layer.span(), format!("`layers` holds `{of}` twice, expected one version of a layer"));
            }
            Some(_) => {}
        }
    }
    layers.into_iter().map(|layer| layer.into_inner().to_owned()).collect()
}

/// The layer that a version belongs to.
pub(super) fn layer_of(arn: &str) -> Option<&str> {
    let (layer, version) = arn.rsplit_once(':')?;
    let parts: Vec<&str> = layer.split(':').collect();
    let ["arn", partition, "lambda", region, account, "layer", name] = parts[..] else { return None };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let right = is_name(partition) && is_name(region) && digits(account) && account.len() == 12 && is_name(name);
    (right && digits(version)).then_some(layer)
}

fn read_log(keys: &mut Section<'_>) -> (Option<u32>, LogFormat) {
    let Some(mut log) = keys.section("log") else { return (Some(DEFAULT_RETENTION_DAYS), LogFormat::Text) };
    let retention_days =
        log.entry("retention_days").map_or(Some(DEFAULT_RETENTION_DAYS), |entry| read_retention(&entry));
    let formats = [LogFormat::Text, LogFormat::Json].map(|format| (format.as_str(), format));
    let format = log.entry("format").and_then(|entry| entry.one_of(&formats));
    log.finish();
    (retention_days, format.map_or(LogFormat::Text, |format| format.into_inner()))
}

fn read_retention(entry: &Entry<'_>) -> Option<u32> {
    if entry.is_string() {
        entry.matching(|text| text == "never", "a number of days, or `never` to keep logs for ever");
        return None;
    }
    let days = entry.integer(1..=3653, "days, or `never` to keep logs for ever")?.into_inner();
    if !RETENTION_DAYS.contains(&days) {
        let allowed = RETENTION_DAYS.map(|days| days.to_string()).join(", ");
        entry.problem(format!("`retention_days` is {days}, expected one of {allowed}, or `never`"));
    }
    Some(days)
}
