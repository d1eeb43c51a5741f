//! The variables without which an app in Python does not start.

use super::imports::Module;
use super::models;
use crate::init::source::TEXT;

/// Variables that Lambda or lamstream sets.
const SET: [&str; 6] = ["PORT", "PATH", "HOME", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_LAMBDA_FUNCTION_NAME"];

/// `os.environ["NAME"]`, and the fields of pydantic's settings that have no default.
pub(super) fn variables(modules: &[&Module]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for module in modules {
        let source = &module.source;
        let read = source.matches(source.all(), &["environ", "[", TEXT, "]"]).into_iter();
        // Not those that are set.
        let read =
            read.filter(|at| !source.is_sign(at + 4, '=')).filter_map(|at| source.text(at + 2).map(str::to_owned));
        let classes = source.matches(source.all(), &["class"]).into_iter();
        let settings = classes.filter(|at| {
            source.is_sign(at + 2, '(') && source.has_word(at + 3..source.close(at + 2), &["BaseSettings"])
        });
        let fields = settings.flat_map(|at| models::required(module, at)).map(|name| name.to_uppercase());
        for name in read.chain(fields) {
            if !SET.contains(&name.as_str()) && !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_without_a_default_are_needed() {
        let text = "import os\na = os.environ['A_KEY']\nb = os.environ.get('B')\nos.environ['C'] = 'x'\np = os.environ['PORT']\n\
                    class Settings(BaseSettings):\n    database_url: str = Field(init=False)\n    debug: bool = False\n    token: str\n";
        assert_eq!(variables(&[&Module::new("a.py", text)]), ["A_KEY", "DATABASE_URL", "TOKEN"]);
    }
}
