//! JSON values written as the XML of AWS's Query protocol.

use quick_xml::escape::escape;
use serde_json::Value;

/// One document: `root` in `namespace`, an object's members as elements, an array's as `<member>`.
pub(crate) fn document(root: &str, namespace: &str, value: &Value) -> String {
    let mut text = format!("<{root} xmlns=\"{namespace}\">");
    write(value, &mut text);
    text.push_str(&format!("</{root}>"));
    text
}

/// One document with these elements in their order.
pub(crate) fn response(root: &str, namespace: &str, elements: &[(String, Value)]) -> String {
    let mut text = format!("<{root} xmlns=\"{namespace}\">");
    elements.iter().for_each(|(name, value)| element(name, value, &mut text));
    text.push_str(&format!("</{root}>"));
    text
}

/// One document without a namespace, as S3's errors are.
pub(crate) fn plain(root: &str, value: &Value) -> String {
    let mut text = String::new();
    element(root, value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Null => {}
        Value::Bool(yes) => text.push_str(&yes.to_string()),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(words) => text.push_str(&escape(words.as_str())),
        Value::Array(items) => items.iter().for_each(|item| element("member", item, text)),
        Value::Object(members) => members
            .iter()
            .filter(|(_, member)| !member.is_null())
            .for_each(|(name, member)| element(name, member, text)),
    }
}

fn element(name: &str, value: &Value, text: &mut String) {
    text.push_str(&format!("<{name}>"));
    write(value, text);
    text.push_str(&format!("</{name}>"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn lists_become_members_and_text_is_escaped() {
        let value = json!({"Roles": [{"RoleName": "a<b"}], "Truncated": false, "Marker": null});
        assert_eq!(
            super::document("R", "ns", &value),
            "<R xmlns=\"ns\"><Roles><member><RoleName>a&lt;b</RoleName></member></Roles><Truncated>false</Truncated></R>"
        );
    }
}
