//! SAM's policy templates: what they allow, and on which resources.

use std::collections::BTreeMap;

/// Each template's name, then its statements, indented: the actions by service, `on` the resources, `if` the operator,
/// the key and the value of a condition. `{name}` is a parameter of the template; `@` is the region and the account.
const TEMPLATES: &str = include_str!("policies.txt");

/// One statement of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Statement {
    /// Such as `s3:GetObject`.
    pub actions: Vec<String>,
    /// ARNs without `arn:` and their partition, or `*`.
    pub resources: Vec<&'static str>,
    /// By operator: a key, and the ARN that its value has to be.
    pub conditions: BTreeMap<&'static str, (&'static str, &'static str)>,
}

impl Statement {
    /// The resources, and the values of the conditions.
    pub(super) fn arns(&self) -> Vec<&'static str> {
        self.resources.iter().copied().chain(self.conditions.values().map(|(_, arn)| *arn)).collect()
    }
}

/// The statements of a template; `None` for a name that is none of SAM's.
pub(super) fn statements(template: &str) -> Option<Vec<Statement>> {
    let mut lines = TEMPLATES.lines().skip_while(|line| *line != template);
    lines.next().filter(|name| !name.starts_with(' ') && !name.is_empty())?;
    let (mut all, mut service, mut is_done): (Vec<Statement>, &str, bool) = (Vec::new(), "", true);
    for line in lines.take_while(|line| line.starts_with(' ')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["on", ref resources @ ..] => {
                let Some(statement) = all.last_mut() else { continue };
                statement.resources = resources.to_vec();
                is_done = true;
            }
            ["if", operator, key, value] => {
                let Some(statement) = all.last_mut() else { continue };
                statement.conditions.insert(operator, (key, value));
            }
            _ => {
                if is_done {
                    all.push(Statement::default());
                    is_done = false;
                }
                for word in words {
                    match (word.strip_suffix(':'), all.last_mut()) {
                        (Some(name), _) => service = name,
                        (None, Some(statement)) => statement.actions.push(format!("{service}:{word}")),
                        (None, None) => {}
                    }
                }
            }
        }
    }
    Some(all)
}

/// The names of a template's parameters.
pub(super) fn parameters(statements: &[Statement]) -> Vec<&'static str> {
    let texts = statements.iter().flat_map(Statement::arns);
    let mut names: Vec<&str> =
        texts.flat_map(|text| text.split('{').skip(1).filter_map(|rest| rest.split('}').next())).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_has_statements_on_resources() {
        let names: Vec<&str> = TEMPLATES.lines().filter(|line| !line.starts_with(' ')).collect();
        assert!(names.len() >= 81 && names.is_sorted(), "{names:?}");
        for name in names {
            let statements = statements(name).unwrap_or_default();
            assert!(!statements.is_empty(), "{name}");
            for statement in statements {
                assert!(!statement.actions.is_empty() && !statement.resources.is_empty(), "{name}: {statement:?}");
                assert!(
                    statement.actions.iter().all(|action| action.split(':').all(|part| !part.is_empty())),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn a_condition_belongs_to_the_statement_above_it() {
        let all = statements("AWSSecretsManagerRotationPolicy").unwrap_or_default();
        let operators: Vec<usize> = all.iter().map(|statement| statement.conditions.len()).collect();
        assert_eq!(operators, [1, 0]);
        assert_eq!(parameters(&all), ["FunctionName"]);
        assert_eq!(statements("NoSuchPolicy"), None);
        assert_eq!(statements("  on *"), None);
    }
}
