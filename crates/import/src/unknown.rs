//! Why a value is not known before anything is deployed, and what the user can do about it.

use super::node::{Content, FETCHED, INVALID, Node};
use super::resolve::Resolver;
use super::template::FUNCTION;

impl Resolver<'_> {
    /// The reason and the advice for a value that depends on these names.
    pub(crate) fn why_unknown(&self, names: &[String]) -> (String, String) {
        let is_unset = |name: &&str| names.iter().any(|known| known == name);
        if names.len() == 2 && ["AWS::Region", "AWS::AccountId"].iter().all(is_unset) {
            let what = "depends on `AWS::Region` and `AWS::AccountId`, which are not known here";
            return (
                what.to_owned(),
                "import again with `--region NAME --account NUMBER`, or set both here".to_owned(),
            );
        }
        let (what, advice) = self.why(names.first().map(String::as_str).unwrap_or_default());
        let others = names.iter().skip(1).filter(|name| !name.starts_with(INVALID));
        let others: Vec<String> = others.map(|name| format!("`{name}`")).collect();
        let others = if others.is_empty() { String::new() } else { format!(" (also needed: {})", others.join(", ")) };
        (what + &others, advice)
    }

    fn why(&self, name: &str) -> (String, String) {
        if let Some(parameter) = self.parameter(name) {
            return self.why_parameter(name, parameter);
        }
        if let Some(reason) = name.strip_prefix(INVALID) {
            let advice = "correct it and import again, or set its value here";
            return (format!("cannot be evaluated: {reason}"), advice.to_owned());
        }
        let resource = name.split('.').next().unwrap_or_default();
        let (what, advice) = match (name, self.template.type_of(resource)) {
            ("AWS::Region", _) => (
                "depends on `AWS::Region`, which is not known here".into(),
                "import again with `--region NAME`, or set the region here",
            ),
            ("AWS::AccountId", _) => (
                "depends on `AWS::AccountId`, which is not known here".into(),
                "import again with `--account NUMBER`, or set the account's number here",
            ),
            (_, Some(FUNCTION)) => {
                let what = format!("refers to `{name}`, which lamstream gives a name of its own");
                let status = format!("`lamstream status {resource} --output json` prints its name and ARN");
                return (what, format!("set it here after the first deploy: {status}"));
            }
            (_, Some(_)) => (
                format!("refers to `{name}`, which CloudFormation creates and lamstream does not"),
                "set its value here once it exists",
            ),
            _ if name.starts_with(FETCHED) => {
                (format!("contains the value of `{name}`, which only AWS knows"), "set the value itself here")
            }
            _ if name.starts_with("the condition ") => {
                (format!("depends on {name}, which cannot be evaluated here"), "set its value here")
            }
            _ if !name.contains("::") => (
                format!("refers to `{name}`, which is not in the template: SAM creates it, or it is missing"),
                "set its value here",
            ),
            _ => (format!("depends on `{name}`, which only AWS knows"), "set its value here"),
        };
        (what, advice.to_owned())
    }

    fn why_parameter(&self, name: &str, parameter: &Content) -> (String, String) {
        let hidden = self.template.root.at(&["Parameters", name, "NoEcho"]).and_then(Node::boolean);
        let (what, advice) = match parameter {
            _ if hidden == Some(true) => (
                format!("the parameter `{name}` is `NoEcho`, so its value is not written to a file"),
                "provide the value yourself",
            ),
            Content::List(_) => (
                format!("the parameter `{name}` is a list, but is used in a string"),
                "join its values, and set the string here",
            ),
            _ => (
                format!("the parameter `{name}` has no value"),
                "set it with `parameter_overrides` in samconfig.toml and import again, or set the value here",
            ),
        };
        (what, advice.to_owned())
    }
}
