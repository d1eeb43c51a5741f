//! Turns an AWS SAM template into the text of a manifest, and lists what is left over. Texts go in and a text comes
//! out; the caller's [`Rules`] say what lamstream accepts.
//!
//! `yaml` reads a template as a tree in which every value has its line. `globals` merges `Globals` into each
//! function as SAM does, then `resolve` and `intrinsic` evaluate its values; what only AWS knows stays unknown.
//! `foreach` writes out the loops whose values are in the template.
//!
//! `function` has a reader for each kind of property: it takes the properties that it knows, and its `writer` adds
//! keys, comments and left-overs to a `draft`. Properties that no reader takes are left over. A container image becomes
//! a proposal: `dockerfile` reads what its stages copy and run, `function/proposal` finds the directory of the app, or
//! the commands that make it, and `function/image` writes the keys. `function/build` has the commands that `sam build`
//! would run, and is the one place that reports a command to run before a deploy. Every other environment
//! of `samconfig.toml` makes a draft of its own, from whose differences `stage` makes a stage. `check` disables what
//! lamstream would reject, and `render` writes the draft as TOML.

mod input;

mod node;
mod yaml;

mod template;
mod urls;

mod foreach;

mod globals;
mod intrinsic;
mod resolve;
mod unknown;

mod draft;
mod render;
mod writer;

mod dockerfile;
mod function;
mod log_groups;
mod sections;

mod samconfig;
mod stage;

mod check;
mod imported;
mod name;

mod cargo_lambda;
mod live;

pub use cargo_lambda::{Binary, Package, Workspace, cargo_lambda};
pub use draft::LeftOver;
pub use function::ADAPTER_VARIABLES;
pub use imported::Imported;
pub use input::{File, Files, Options, Problem, Rules};
pub use live::{LiveFunction, Retention, live};
pub use node::Invalid;

use draft::{Draft, Entry, Item};
use imported::heading;
use node::Node;
use resolve::Resolver;
use samconfig::{Config, Environment};
use template::Template;
use writer::Writer;

const LONGEST_APP: usize = 64;
const DEFAULT_ENVIRONMENT: &str = "default";

/// Imports a SAM template, with the `samconfig` file next to it.
pub fn sam(template: File<'_>, config: Option<File<'_>>, options: Options<'_>) -> Result<Imported, Invalid> {
    let config = config.map(|config| Config::read(config, template.name)).transpose()?.unwrap_or_default();
    let template = Template::read(template.name, template.text)?;
    let default = config.environments.iter().find(|one| one.name == DEFAULT_ENVIRONMENT);
    let mut default = default.cloned().unwrap_or_default();
    default.settings.account = options.account.map(str::to_owned);
    default.settings.region = options.region.map(str::to_owned).or(default.settings.region);
    let app = app_name(default.settings.stack_name.as_deref().unwrap_or(options.app), &template, &config);
    let mut draft = draft_of(&template, &default, &app, &options)?;
    let mut has_functions = draft.has_functions();
    for left in &config.left_over {
        draft.push(&[], Entry::LeftOver(left.clone()));
    }
    let mut stages: Vec<(String, &str)> = Vec::new();
    for environment in config.environments.iter().filter(|one| one.name != DEFAULT_ENVIRONMENT) {
        let stage = name::clean(&environment.name);
        if let Some((_, same)) = stages.iter().find(|(known, _)| known.eq_ignore_ascii_case(&stage)) {
            draft.push(&[], Entry::LeftOver(config.same_stage(environment, same, &stage)));
            continue;
        }
        let mut other = environment.clone();
        // Apart from the stack's name, an environment has nothing from the default one: SAM does the same.
        other.settings.account = default.settings.account.clone();
        other.settings.stack_name = other.settings.stack_name.or_else(|| default.settings.stack_name.clone());
        let other = draft_of(&template, &other, &app, &options)?;
        has_functions |= other.has_functions();
        stage::add(&mut draft, &stage, &other, &config.file);
        stages.push((stage, &environment.name));
    }
    if !has_functions {
        return Err(without_functions(&template, &draft));
    }
    let place = |function: Option<&str>| {
        let resource = function.and_then(|name| template.root.at(&["Resources", name]));
        let path = function.map(|name| format!("Resources.{name}"));
        (template.file.clone(), resource.unwrap_or(&template.root).line, path)
    };
    check::disable_rejected(&mut draft, &place, options.rules);
    let mut left_over: Vec<LeftOver> = draft.left_over().cloned().collect();
    left_over.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    let heading =
        heading("`lamstream import sam`", &template.file, "the template's name", left_over.len(), options.rules);
    Ok(Imported { manifest: render::render(&heading, &draft, options.rules), left_over })
}

/// The template as it is deployed to one environment.
fn draft_of(
    template: &Template,
    environment: &Environment,
    app: &str,
    options: &Options<'_>,
) -> Result<Draft, Invalid> {
    let mut settings = environment.settings.clone();
    let is_guess = settings.stack_name.is_none() && template.uses_stack_name;
    settings.stack_name.get_or_insert_with(|| app.to_owned());
    let mut resolver = Resolver::new(template, settings)?;
    let mut draft = Draft::default();
    let writer = &mut Writer {
        draft: &mut draft,
        values: &resolver,
        options,
        table: Vec::new(),
        path: String::new(),
        is_optional: false,
    };
    if let Some(description) = template.root.get("Description").and_then(Node::text) {
        writer.comment(description.trim());
    }
    if is_guess {
        writer.comment(format!("No samconfig.toml names the stack, so `AWS::StackName` became `{app}`."));
    }
    writer.key("app", app);
    if let Some(account) = &resolver.settings.account {
        writer.key("account", account.as_str());
    }
    if let Some(region) = &resolver.settings.region {
        writer.key("region", region.as_str());
    }
    if let Some(bucket) = &environment.bucket {
        writer.key("artifact_bucket", bucket.as_str());
    }
    sections::report(writer);
    for (name, resource) in template.functions() {
        if function::import(&mut resolver, &mut draft, options, name, resource)? {
            add_stack_tags(&mut draft, name, environment);
        }
    }
    Ok(draft)
}

/// CloudFormation gives a stack's tags to everything in it; a function's own tags take precedence.
fn add_stack_tags(draft: &mut Draft, function: &str, environment: &Environment) {
    let table = ["functions", function, "tags"].map(str::to_owned);
    for (tag, value) in &environment.tags {
        let is_same =
            |item: &Item| item.table == table && matches!(&item.entry, Entry::Key { name, .. } if name == tag);
        if !draft.items.iter().any(is_same) {
            draft.push(&table, Entry::Key { name: tag.clone(), value: value.as_str().into(), enabled: true });
        }
    }
}

/// The error if no environment has a function. The functions' left-overs say what to do.
fn without_functions(template: &Template, draft: &Draft) -> Invalid {
    let resources = template.root.get("Resources").unwrap_or(&template.root);
    if template.functions().next().is_none() {
        let message = "nothing to import: the template has no `AWS::Serverless::Function`";
        return template
            .wrong(resources, message)
            .hint("write a manifest instead: docs/manifest.md describes every key");
    }
    let message = "none of the template's functions can be imported: they are container images, or their conditions \
                   are false";
    template.functions().fold(template.wrong(resources, message), |invalid, (name, _)| {
        let path = format!("Resources.{name}");
        invalid.hint(match draft.left_over().find(|left| left.path == path) {
            Some(left) => format!("`{name}`: {}; {}", left.what, left.advice),
            None => format!("`{name}`: set other values for the parameters of its condition"),
        })
    })
}

/// A name for the app that is short enough for every function's full name on AWS, `APP[-STAGE]-FUNCTION`.
fn app_name(name: &str, template: &Template, config: &Config) -> String {
    let stages = config.environments.iter().filter(|one| one.name != DEFAULT_ENVIRONMENT);
    let longest_stage = stages.map(|one| one.name.len() + 1).max().unwrap_or_default();
    let longest_function = template.functions().map(|(name, _)| name.len()).max().unwrap_or_default();
    let room = LONGEST_APP.saturating_sub(longest_function + 1 + longest_stage).max(1);
    let name: String = name::clean(name).trim_matches('-').chars().take(room).collect();
    if name.is_empty() { "app".to_owned() } else { name }
}
