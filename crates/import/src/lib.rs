//! A SAM template to a manifest: text in, text out, and a list of everything that is left over.
//!
//! The template becomes a tree whose every value knows its line. `Globals` are merged into each function as SAM does
//! it, then the intrinsic functions are carried out as far as is known here; what only AWS knows stays open in its
//! value. A reader for each kind of property writes keys, comments and left-overs onto its page of a draft, and each
//! takes the properties that it knows, so that the rest falls out at the end. Other environments of `samconfig.toml`
//! make drafts of their own, and what is different in them becomes a stage. At last the text is read as the manifest that
//! it shall be, and what would be refused in it is switched off.

mod node;
mod yaml;

mod resolve;
mod template;

mod globals;
mod samconfig;

mod draft;

mod access;
mod advice;
mod environment;
mod function;
mod managed;
mod network;
mod policies;
mod source;
mod url;

mod stages;

mod render;
mod rules;
mod settle;

pub use draft::LeftOver;
pub use node::Invalid;
pub use rules::{Problem, Rules};

use draft::{Draft, Item, Page, Said};
use samconfig::{Config, Environment};
use template::Template;

/// A file's name and text.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

/// What is known beside the files.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub rules: &'a dyn Rules,
    /// The app's name where `samconfig.toml` has none for the stack.
    pub directory: &'a str,
    pub region: Option<&'a str>,
    /// The way from the manifest's directory to the template's, to which its paths are relative; empty for none.
    pub way: &'a str,
}

/// What a template became.
#[derive(Clone, Debug)]
pub struct Imported {
    pub manifest: String,
    pub left: Vec<LeftOver>,
}

const APP_LIMIT: usize = 64;
const DEFAULT: &str = "default";

/// Takes a template over, with the `samconfig.toml` beside it.
pub fn sam(template: File<'_>, config: Option<File<'_>>, around: Surroundings<'_>) -> Result<Imported, Invalid> {
    let config_file = config.map_or("samconfig.toml", |config| config.name);
    let config =
        config.map(|config| Config::read(config.name, config.text, template.name)).transpose()?.unwrap_or_default();
    let base = config.environments.iter().find(|one| one.name == DEFAULT).cloned().unwrap_or_default();
    let others: Vec<&Environment> = config.environments.iter().filter(|one| one.name != DEFAULT).collect();
    let longest = others.iter().map(|one| one.name.len() + 1).max().unwrap_or_default();
    let app = app(base.settings.stack_name.as_deref().unwrap_or(around.directory), template, longest)?;
    let (mut draft, mut taken) = drafted(template, &base, &app, around)?;
    for left in &config.left {
        draft.items.push(Item { table: Vec::new(), said: Said::Left(left.clone()) });
    }
    let mut stages: Vec<(String, &str)> = Vec::new();
    for environment in others {
        let stage: String = environment.name.chars().map(|c| if is_of_a_name(c) { c } else { '-' }).collect();
        if let Some((_, same)) = stages.iter().find(|(known, _)| known.eq_ignore_ascii_case(&stage)) {
            let left = config.same_stage(config_file, &environment.name, same, &stage);
            draft.items.push(Item { table: Vec::new(), said: Said::Left(left) });
            continue;
        }
        let mut other = environment.clone();
        // What an environment does not say is as in the template, and not as in the default one: so does SAM.
        other.settings.stack_name = other.settings.stack_name.or_else(|| base.settings.stack_name.clone());
        let (other, more) = drafted(template, &other, &app, Surroundings { region: None, ..around })?;
        taken += more;
        stages::add(&mut draft, &stage, &other, config_file);
        stages.push((stage, &environment.name));
    }
    let template_read = Template::read(template.name, template.text)?;
    if taken == 0 {
        return Err(none_taken(&template_read, &draft));
    }
    settle::settle(&mut draft, &template_read, around.rules);
    let mut left: Vec<LeftOver> = draft.left().cloned().collect();
    left.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    let manifest =
        format!("{}{}", head(template.name, left.len(), around.rules), render::render(&draft, around.rules).text);
    Ok(Imported { manifest, left })
}

fn head(file: &str, left: usize, rules: &dyn Rules) -> String {
    let count = match left {
        0 => "Nothing of it was left over.".to_owned(),
        1 => "One thing was left over: the comment that begins with the template's name says what.".to_owned(),
        _ => format!("{left} things were left over: comments that begin with the template's name say which."),
    };
    let mut text = String::new();
    let said = format!("Written by `lamstream import sam` from {file}. {count}");
    render::wrap(&mut text, &said, rules);
    text + "# docs/manifest.md has every key; `lamstream plan` shows what a deploy would do.\n\n"
}

fn drafted(
    file: File<'_>,
    environment: &Environment,
    app: &str,
    around: Surroundings<'_>,
) -> Result<(Draft, usize), Invalid> {
    let mut settings = environment.settings.clone();
    settings.region = around.region.map(str::to_owned).or(settings.region);
    settings.way = around.way.to_owned();
    let is_guess = settings.stack_name.is_none() && file.text.contains("AWS::StackName");
    settings.stack_name.get_or_insert_with(|| app.to_owned());
    let template = Template::read(file.name, file.text)?.with(settings)?;
    let mut draft = Draft::default();
    let mut page =
        Page { draft: &mut draft, template: &template, rules: around.rules, table: Vec::new(), path: String::new() };
    if let Some(description) = template.root.get("Description").and_then(node::Node::text) {
        page.comment(description.trim());
    }
    if is_guess {
        page.comment(format!("No samconfig.toml names the stack: `AWS::StackName` is taken for `{app}`."));
    }
    page.key("app", app);
    if let Some(region) = &template.settings.region {
        page.key("region", region.as_str());
    }
    if let Some(bucket) = &environment.bucket {
        page.key("artifact_bucket", bucket.as_str());
    }
    let names: Vec<String> = functions(&template).map(|(name, _)| name.clone()).collect();
    advice::leave_other_sections(&mut page, &template, &names);
    let mut taken = 0;
    for (name, resource) in functions(&template) {
        if function::read(&template, &mut draft, around.rules, name, resource)? {
            taken += 1;
            stack_tags(&mut draft, name, environment);
        }
    }
    Ok((draft, taken))
}

/// A template of which no environment has a function. What was left over of them says what to do.
fn none_taken(template: &Template, draft: &Draft) -> Invalid {
    let resources = template.root.get("Resources").unwrap_or(&template.root);
    if functions(template).next().is_none() {
        let message = "the template has no `AWS::Serverless::Function`, and so nothing to import";
        return template.wrong(resources, message).hint("write a manifest: docs/manifest.md has every key");
    }
    let message = "none of the template's functions can be imported: they are container images, or their conditions do \
                   not hold";
    let mut invalid = template.wrong(resources, message);
    for (name, _) in functions(template) {
        let path = format!("Resources.{name}");
        match draft.left().find(|left| left.path == path) {
            Some(left) => invalid.hints.push(format!("`{name}`: {}; {}", left.what, left.advice)),
            None => invalid.hints.push(format!("`{name}`: give the parameters of its condition other values")),
        }
    }
    invalid
}

/// CloudFormation gives a stack's tags to all that is in it.
fn stack_tags(draft: &mut Draft, function: &str, environment: &Environment) {
    let table = ["functions", function, "tags"].map(str::to_owned).to_vec();
    for (tag, value) in &environment.tags {
        let is_there = |item: &Item| item.table == table && matches!(&item.said, Said::Key { name, .. } if name == tag);
        if !draft.items.iter().any(is_there) {
            let said = Said::Key { name: tag.clone(), value: value.as_str().into(), on: true };
            draft.items.push(Item { table: table.clone(), said });
        }
    }
}

fn functions(template: &Template) -> impl Iterator<Item = &(String, node::Node)> {
    let is_one = |(name, _): &&(String, node::Node)| template.type_of(name) == Some(template::FUNCTION);
    template.resources().iter().filter(is_one)
}

fn is_of_a_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-' || character == '_'
}

/// A name for the app, so short that every function's name on AWS has its place behind it, and `stage` letters more.
fn app(name: &str, file: File<'_>, stage: usize) -> Result<String, Invalid> {
    let template = Template::read(file.name, file.text)?;
    let longest = functions(&template).map(|(name, _)| name.len()).max().unwrap_or_default();
    let clean: String = name.chars().map(|c| if is_of_a_name(c) { c } else { '-' }).collect();
    let room = APP_LIMIT.saturating_sub(longest + 1 + stage).max(1);
    let clean: String = clean.trim_matches('-').chars().take(room).collect();
    Ok(if clean.is_empty() { "app".to_owned() } else { clean })
}
