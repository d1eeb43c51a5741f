//! The names of functions and stages that completions offer, from a manifest that you may still be editing.

/// The functions, also those that only a stage has; empty if the text is not valid TOML.
pub fn function_names(text: &str) -> Vec<String> {
    let Ok(root) = text.parse::<toml::Table>() else { return Vec::new() };
    let stages = root.get("stages").and_then(toml::Value::as_table);
    let of_stages = stages.into_iter().flat_map(toml::Table::values).filter_map(toml::Value::as_table);
    let mut names: Vec<String> = Vec::new();
    for name in std::iter::once(&root).chain(of_stages).flat_map(|table| keys(table, "functions")) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The stages that can be named as they are: without patterns.
pub fn stage_names(text: &str) -> Vec<String> {
    let root = text.parse::<toml::Table>().unwrap_or_default();
    keys(&root, "stages").into_iter().filter(|name| !name.contains('*')).collect()
}

fn keys(table: &toml::Table, name: &str) -> Vec<String> {
    let table = table.get(name).and_then(toml::Value::as_table);
    table.into_iter().flat_map(toml::Table::keys).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_a_manifest_that_is_not_finished() {
        let text = "[functions.b]\nmemory = 'x'\n[functions.a]\n[stages.prod.functions.c]\n[stages.prod.functions.a]\n\
                    [stages.'pr-*']\n[stages.dev]\n";
        let mut functions = function_names(text);
        functions.sort();
        assert_eq!(functions, ["a", "b", "c"]);
        let mut stages = stage_names(text);
        stages.sort();
        assert_eq!(stages, ["dev", "prod"]);
        assert!(function_names("functions = 1").is_empty() && function_names("[functions").is_empty());
    }
}
