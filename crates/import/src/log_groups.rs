//! The log groups that a template declares for its functions.

use super::node::Node;
use super::template::Template;

const GROUP: &str = "AWS::Logs::LogGroup";
/// What precedes a function's name in the name of its log group.
const PREFIX: &str = "/aws/lambda/";

/// The log group of a function: its logical id and the resource.
pub(crate) fn of<'t>(template: &'t Template, function: &str) -> Option<&'t (String, Node)> {
    let groups = template.section("Resources").iter().filter(|(name, _)| template.type_of(name) == Some(GROUP));
    groups.into_iter().find(|(name, _)| owner(template, name) == Some(function))
}

/// The function whose logs a log group gets.
pub(crate) fn owner<'t>(template: &'t Template, group: &str) -> Option<&'t str> {
    let name = template.root.at(&["Resources", group, "Properties", "LogGroupName"]).and_then(written);
    let name = name.as_deref().and_then(|name| name.strip_prefix(PREFIX));
    let is_owner = |function: &str| {
        let property = |keys: &[&str]| {
            let path = [&["Resources", function, "Properties"], keys].concat();
            template.root.at(&path).and_then(written)
        };
        let own = property(&["FunctionName"]);
        let is_named = name.is_some_and(|name| name == format!("${{{function}}}") || own.as_deref() == Some(name));
        is_named || property(&["LoggingConfig", "LogGroup"]) == Some(format!("${{{group}}}"))
    };
    template.functions().map(|(name, _)| name.as_str()).find(|function| is_owner(function))
}

/// A text as `Fn::Sub` would have it, however it is put together.
fn written(node: &Node) -> Option<String> {
    match node.intrinsic() {
        None => node.text().map(str::to_owned),
        Some(("Ref", name)) => name.text().map(|name| format!("${{{name}}}")),
        Some(("Fn::Sub", text)) => text.text().map(str::to_owned),
        Some(("Fn::Join", argument)) => {
            let [separator, items] = argument.items() else { return None };
            let items: Option<Vec<String>> = items.items().iter().map(written).collect();
            Some(items?.join(separator.text()?))
        }
        Some(_) => None,
    }
}
