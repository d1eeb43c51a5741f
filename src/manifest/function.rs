//! One function of the manifest.

use super::attachments;
use super::build::Build;
use super::check::Check;
use super::code::{self, CodeSource};
use super::environment;
use super::log::Log;
use super::name::{NAME, is_name};
use super::outside::Outside;
use super::role::RoleSource;
use super::rollout::ShiftRule;
use super::section::{Entry, Section};
use super::web::Web;
use super::{layers, settings, tags, url};
use crate::stack::{Architecture, Attachments, Environment, FunctionUrl, Logging, Runtime, Settings, Tags};
use toml::Spanned;

const DESCRIPTION_LIMIT: usize = 256;

/// One function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub source: CodeSource,
    pub runtime: Runtime,
    /// The handler, if it does not follow from the rest.
    pub handler: Option<String>,
    /// Set for a web server behind the adapter.
    pub web: Option<Web>,
    pub architecture: Architecture,
    pub build: Build,
    pub settings: Settings,
    pub description: String,
    /// ARNs of layer versions, in the order in which they are unpacked.
    pub layers: Vec<String>,
    pub environment: Environment,
    /// Variables whose values come from outside and are not in the environment yet.
    pub outside: Vec<Outside>,
    pub url: Option<FunctionUrl>,
    /// `None` keeps logs forever.
    pub retention_days: Option<u32>,
    /// The name of the log group; `None` for the function's own.
    pub log_group: Option<String>,
    pub logging: Logging,
    pub role: RoleSource,
    /// The user's own tags.
    pub tags: Tags,
    /// Reserved concurrency.
    pub concurrency: Option<u32>,
    /// Provisioned concurrency.
    pub provisioned_concurrency: Option<u32>,
    pub attachments: Attachments,
    /// How many versions are kept in addition to the live one.
    pub keep_releases: u32,
    /// In the manifest's order. A function has checks if and only if it has a URL.
    pub checks: Vec<Check>,
    /// Set for a release that gets its traffic step by step.
    pub rollout: Option<ShiftRule>,
}

impl Function {
    /// `account` is the only account to which the app may be deployed.
    pub(super) fn read(entry: &Entry<'_>, account: Option<&str>) -> Option<Function> {
        let name = entry.name;
        if !is_name(name) {
            entry.problem_with_name(format!("`{name}` is not a valid function name, expected {NAME}"));
        }
        let keys = entry.section(format!("the function `{name}`"))?;
        let source = code::read_source(&keys);
        let (runtime, handler) = code::read_runtime(&keys);
        let architecture = match keys.entry("architecture") {
            Some(entry) => entry.word().and_then(Architecture::parse),
            None => Some(Architecture::X86_64),
        };
        let settings = settings::read(&keys, &runtime);
        let web = Web::read(&keys, architecture, settings.snap_start);
        let build = Build::read(&keys, architecture);
        let concurrency = keys.written_number("concurrency");
        let provisioned = keys.written_number("provisioned_concurrency");
        refuse_more_than_reserved(&keys, concurrency.as_ref(), provisioned.as_ref());
        let Log { retention_days, group: log_group, logging } = Log::read(&keys);
        let url = url::read(&keys);
        let ours = web.as_ref().map(|web| web.variables(&runtime, url.as_ref())).unwrap_or_default();
        let (environment, outside) = environment::read(&keys, &ours);
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
            description: read_description(&keys),
            layers: layers::read(&keys, web.is_some()),
            web,
            environment,
            outside,
            url,
            retention_days,
            log_group,
            logging,
            role: RoleSource::read(&keys, account),
            tags: tags::read(&keys),
            concurrency: concurrency.map(|concurrency| concurrency.into_inner()),
            provisioned_concurrency: provisioned.map(|provisioned| provisioned.into_inner()),
            attachments: attachments::read(&keys),
            keep_releases: keys.number("keep_releases"),
            checks: Check::read_all(&keys, settings.timeout),
            settings,
            rollout: ShiftRule::read(&keys),
        };
        Some(function)
    }
}

/// Provisioned concurrency is part of the reserved concurrency.
fn refuse_more_than_reserved(keys: &Section<'_>, reserved: Option<&Spanned<u32>>, provisioned: Option<&Spanned<u32>>) {
    let (Some(reserved), Some(provisioned)) = (reserved, provisioned) else { return };
    let (most, wanted) = (reserved.get_ref(), provisioned.get_ref());
    if wanted > most {
        let message = format!("`provisioned_concurrency` is {wanted}, but `concurrency` reserves only {most}");
        keys.problem_at(provisioned.span(), message);
    }
}

fn read_description(keys: &Section<'_>) -> String {
    let Some(entry) = keys.entry("description") else { return String::new() };
    let Some(text) = entry.string("a string") else { return String::new() };
    let length = text.get_ref().chars().count();
    if length > DESCRIPTION_LIMIT {
        entry.problem(format!("`description` has {length} characters, expected at most {DESCRIPTION_LIMIT}"));
    }
    text.into_inner().to_owned()
}
