//! The URLs that a template declares as resources of their own.

use super::node::{Content, Node};
use super::template::Template;

const URL: &str = "AWS::Lambda::Url";
/// What a function says of the URL that SAM makes for it.
pub(crate) const OWN: &str = "FunctionUrlConfig";
/// The properties that a URL has in both forms.
const SHARED: [&str; 3] = ["AuthType", "InvokeMode", "Cors"];

/// What becomes of such a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<'t> {
    /// It becomes the `url` of this function.
    Imported(&'t str),
    /// This function has another URL already.
    Second(&'t str),
    /// Its function is not in the template.
    Foreign,
}

/// The resource is one of these; `None` for other kinds.
pub(crate) fn outcome<'t>(template: &'t Template, name: &str) -> Option<Outcome<'t>> {
    (template.type_of(name) == Some(URL)).then_some(())?;
    let Some(function) = owner(template, name) else { return Some(Outcome::Foreign) };
    let is_it = of(template, function).is_some_and(|(known, _)| known == name);
    Some(if is_it { Outcome::Imported(function) } else { Outcome::Second(function) })
}

/// The URL that becomes a function's `url`: its logical id and its resource.
pub(crate) fn of<'t>(template: &'t Template, function: &str) -> Option<&'t (String, Node)> {
    let places = [&["Resources", function, "Properties", OWN][..], &["Globals", "Function", OWN]];
    if places.iter().any(|place| template.root.at(place).is_some()) {
        return None;
    }
    template.section("Resources").iter().find(|(name, _)| owner(template, name) == Some(function))
}

/// A resource's properties as the function's own would be written.
pub(crate) fn as_own(resource: &Node) -> Node {
    let properties = resource.get("Properties").unwrap_or(resource);
    let shared = properties.entries().iter().filter(|(key, _)| SHARED.contains(&key.as_str()));
    properties.with(Content::Map(shared.cloned().collect()))
}

/// The function whose URL it is.
fn owner<'t>(template: &'t Template, url: &str) -> Option<&'t str> {
    (template.type_of(url) == Some(URL)).then_some(())?;
    let target = template.root.at(&["Resources", url, "Properties", "TargetFunctionArn"])?;
    let name = match target.intrinsic()? {
        ("Ref", name) => name.text()?.to_owned(),
        ("Fn::GetAtt", path) => super::intrinsic::attribute_path(path).strip_suffix(".Arn")?.to_owned(),
        ("Fn::Sub", text) => text.text()?.strip_prefix("${")?.strip_suffix('}')?.trim_end_matches(".Arn").to_owned(),
        _ => return None,
    };
    template.functions().map(|(known, _)| known.as_str()).find(|known| *known == name)
}
