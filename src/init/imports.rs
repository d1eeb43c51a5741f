//! Configurations of other tools, which `lamstream import` reads better than the source can be.

use super::found::Survey;
use super::tree::Tree;
use toml::Table;

const TEMPLATES: [&str; 3] = ["template.yaml", "template.yml", "template.json"];

/// At the top of the tree.
pub(super) fn find(tree: &Tree) -> Option<Survey> {
    let template =
        TEMPLATES.into_iter().find(|name| tree.text(name).is_some_and(|text| text.contains("AWS::Serverless")));
    if let Some(template) = template {
        return Some(Survey::Import {
            file: template.to_owned(),
            what: "a SAM template",
            command: "import sam".to_owned(),
        });
    }
    let has_table = |text: &str| {
        let table = text.parse::<Table>().unwrap_or_default();
        ["package", "workspace"]
            .iter()
            .any(|name| table.get(*name).and_then(|table| table.get("metadata")?.get("lambda")).is_some())
    };
    let file = match (tree.has("CargoLambda.toml"), tree.text("Cargo.toml")) {
        (true, Some(_)) => "CargoLambda.toml",
        (false, Some(text)) if has_table(text) => "Cargo.toml",
        _ => return None,
    };
    let what = "the configuration of cargo-lambda";
    Some(Survey::Import { file: file.to_owned(), what, command: "import cargo-lambda".to_owned() })
}
