//! A function that is deployed already, whatever has deployed it. Its configuration is read as if a SAM template had it.

use crate::draft::{Draft, Entry, Item, LeftOver};
use crate::function;
use crate::imported::{Imported, heading};
use crate::input::Options;
use crate::node::Invalid;
use crate::resolve::{Resolver, Settings};
use crate::template::Template;
use crate::{check, render};
use toml::Value;

/// A function as AWS describes it.
#[derive(Clone, Debug)]
pub struct LiveFunction<'a> {
    /// Its name on AWS.
    pub name: &'a str,
    /// The names in the manifest.
    pub app: &'a str,
    pub function: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    /// A SAM template as JSON, with this one function.
    pub template: &'a str,
    /// `retention_days` of its log group; `None` if it has none.
    pub retention: Option<Retention>,
    /// Variables whose values the manifest should not have.
    pub secrets: &'a [String],
    /// What belongs to the function and has no place in a manifest: what it is, what to do about it, and whether that
    /// blocks a deploy.
    pub beside: &'a [(String, String, bool)],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    Days(i64),
    Never,
}

/// Imports a function.
///
/// # Errors
/// If AWS's description cannot be read as a function.
pub fn live(live: &LiveFunction<'_>, options: Options<'_>) -> Result<Imported, Invalid> {
    let template = Template::read(live.name, live.template)?;
    let settings = Settings {
        region: Some(live.region.to_owned()),
        account: Some(live.account.to_owned()),
        ..Settings::default()
    };
    let mut resolver = Resolver::new(&template, settings)?;
    let mut draft = Draft::default();
    let key = |name: &str, value: &str| Entry::Key { name: name.to_owned(), value: value.into(), enabled: true };
    draft.push(&[], key("app", live.app));
    draft.push(&[], key("account", live.account));
    draft.push(&[], key("region", live.region));
    for (name, resource) in template.functions() {
        function::import(&mut resolver, &mut draft, &options, name, resource)?;
    }
    let table = |name: &str| ["functions", live.function, name].map(str::to_owned);
    if let Some(retention) = live.retention {
        let value = match retention {
            Retention::Days(days) => Value::Integer(days),
            Retention::Never => "never".into(),
        };
        draft.push(&table("log"), Entry::Key { name: "retention_days".into(), value, enabled: true });
    }
    hide(&mut draft, live, &table("environment"));
    for (what, advice, blocks) in live.beside {
        draft.push(&table("")[..2], Entry::LeftOver(left(live, "", what, advice, *blocks)));
    }
    for item in &mut draft.items {
        place(item, live);
    }
    let at = |_: Option<&str>| (live.name.to_owned(), 0, None);
    check::disable_rejected(&mut draft, &at, options.rules);
    let left_over: Vec<LeftOver> = draft.left_over().cloned().collect();
    let source = format!("the function `{}` in account {}, {}", live.name, live.account, live.region);
    let heading =
        heading("`lamstream import function`", &source, "the function's name", left_over.len(), options.rules);
    Ok(Imported { manifest: render::render(&heading, &draft, options.rules), left_over })
}

/// Replaces the values of secrets by the variables of the shell, and says how to set these.
fn hide(draft: &mut Draft, live: &LiveFunction<'_>, table: &[String]) {
    let mut hidden = Vec::new();
    for item in draft.items.iter_mut().filter(|item| item.table == table) {
        if let Entry::Key { name, value, .. } = &mut item.entry
            && live.secrets.contains(name)
        {
            *value = Value::Table(crate::draft::table([("env", Value::String(name.clone()))]));
            hidden.push(name.clone());
        }
    }
    for name in hidden {
        let query = format!("Environment.Variables.{name}");
        let advice = format!(
            "set it before each deploy: `export {name}=\"$(aws lambda get-function-configuration --region {} --function-name {} \
             --query {query} --output text)\"`",
            live.region, live.name
        );
        let what = "its value looks like a secret, which a manifest should not have";
        draft.push(table, Entry::LeftOver(left(live, &format!("environment.{name}"), what, &advice, true)));
    }
}

/// Says where something is in the function: what reads a template's properties names places in the template.
fn place(item: &mut Item, live: &LiveFunction<'_>) {
    let of_function = |text: &str| text.replace("The template", "The function").replace("the template", "the function");
    if let Entry::Comment(text) = &mut item.entry {
        *text = of_function(text);
    }
    if let Entry::LeftOver(left) = &mut item.entry {
        (left.what, left.advice) = (of_function(&left.what), of_function(&left.advice));
        left.line = 0;
        let resource = format!("Resources.{}", live.function);
        let path = left.path.strip_prefix(&resource).unwrap_or(&left.path);
        left.path = path.trim_start_matches(".Properties").trim_start_matches('.').to_owned();
    }
}

fn left(live: &LiveFunction<'_>, path: &str, what: &str, advice: &str, blocks: bool) -> LeftOver {
    LeftOver {
        file: live.name.to_owned(),
        line: 0,
        path: path.to_owned(),
        what: what.to_owned(),
        advice: advice.to_owned(),
        blocks,
    }
}
