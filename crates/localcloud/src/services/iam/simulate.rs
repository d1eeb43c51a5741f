//! SimulatePrincipalPolicy: what the inline policies of a role would allow. Nothing else in this cloud evaluates them.

use serde_json::{Value, json};

use super::lookup::is_visible;
use crate::services::call::Call;
use crate::services::form::Form;
use crate::wire::error::Fault;
use crate::world::role::{Role, statements};

pub(super) fn simulate(call: &Call, form: &Form) -> Result<Value, Fault> {
    let source = form.need("PolicySourceArn")?;
    form.need("ActionNames.member.1")?;
    let (actions, mut resources) = (form.members("ActionNames", ""), form.members("ResourceArns", ""));
    if resources.is_empty() {
        resources.push("*".to_owned());
    }
    let policies = call.read(|world| {
        let role = world.roles.values().find(|role| role.arn == source && is_visible(call, role));
        role.map(policies).ok_or_else(|| Fault::new(404, "NoSuchEntity", format!("Invalid Entity Arn: {source}")))
    })?;
    let policies: Vec<&Value> = policies.iter().flat_map(statements).collect();
    let asked = actions.iter().flat_map(|action| resources.iter().map(move |resource| (action, resource)));
    let result = |(action, resource): (&String, &String)| {
        json!({
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": decide(&policies, form, action, resource),
            "MatchedStatements": [],
            "MissingContextValues": [],
        })
    };
    Ok(json!({"EvaluationResults": asked.map(result).collect::<Vec<_>>(), "IsTruncated": false}))
}

fn policies(role: &Role) -> Vec<Value> {
    role.inline.values().filter_map(|document| serde_json::from_str(document).ok()).collect()
}

/// A statement that denies comes before all that allow.
fn decide(statements: &[&Value], form: &Form, action: &str, resource: &str) -> &'static str {
    let applies = |statement: &&&Value| {
        let covers = |positive: &str, negative: &str, wanted: &str, folds: bool| match &statement[positive] {
            Value::Null => !any(&statement[negative], wanted, folds),
            patterns => any(patterns, wanted, folds),
        };
        covers("Action", "NotAction", action, true)
            && covers("Resource", "NotResource", resource, false)
            && holds(&statement["Condition"], form)
    };
    let has = |effect: &str| statements.iter().filter(applies).any(|statement| statement["Effect"] == effect);
    match (has("Deny"), has("Allow")) {
        (true, _) => "explicitDeny",
        (false, true) => "allowed",
        (false, false) => "implicitDeny",
    }
}

/// Whether one of the patterns fits. Actions have no case.
fn any(patterns: &Value, wanted: &str, folds: bool) -> bool {
    let fits = |pattern: &str| match folds {
        true => fits(pattern.to_lowercase().as_bytes(), wanted.to_lowercase().as_bytes()),
        false => fits(pattern.as_bytes(), wanted.as_bytes()),
    };
    match patterns {
        Value::String(pattern) => fits(pattern),
        Value::Array(patterns) => patterns.iter().filter_map(Value::as_str).any(fits),
        _ => false,
    }
}

/// Whether a pattern with `*` and `?` fits a text.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => fits(rest, text) || text.split_first().is_some_and(|(_, text)| fits(pattern, text)),
        (Some((b'?', rest)), Some((_, text))) => fits(rest, text),
        (Some((one, rest)), Some((other, text))) => one == other && fits(rest, text),
        _ => false,
    }
}

/// Whether the request's context meets a condition. Operators other than `StringEquals` are never met.
fn holds(condition: &Value, form: &Form) -> bool {
    let Value::Object(operators) = condition else { return true };
    operators.iter().all(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        operator == "StringEquals"
            && keys.into_iter().all(|(key, wanted)| context(form, key).iter().any(|found| any(wanted, found, false)))
    })
}

/// The values that the request gives for a key of conditions.
fn context(form: &Form, key: &str) -> Vec<String> {
    let entries = form.members("ContextEntries", ".ContextKeyName");
    let at = entries.iter().position(|name| name.eq_ignore_ascii_case(key));
    at.map(|at| form.members(&format!("ContextEntries.member.{}.ContextKeyValues", at + 1), "")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(policy: Value, action: &str, resource: &str) -> &'static str {
        let form = Form::parse(
            b"ContextEntries.member.1.ContextKeyName=iam%3APassedToService&ContextEntries.member.1.ContextKeyValues.member.1=lambda.amazonaws.com",
        );
        decide(&statements(&json!({ "Statement": policy })), &form, action, resource)
    }

    #[test]
    fn policies_are_evaluated_as_iam_does() {
        let allow = |action: &str, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
        assert_eq!(decided(allow("s3:Get*", "arn:a?c/*"), "s3:getobject", "arn:abc/x/y"), "allowed");
        assert_eq!(decided(allow("s3:Get*", "arn:a?c/*"), "s3:PutObject", "arn:abc/x"), "implicitDeny");
        assert_eq!(decided(allow("s3:Get*", "arn:a?c/*"), "s3:GetObject", "arn:abc"), "implicitDeny");
        let deny = json!([allow("*", "*"), {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}]);
        assert_eq!(decided(deny.clone(), "iam:GetRole", "x"), "explicitDeny");
        assert_eq!(decided(deny, "s3:GetObject", "x"), "allowed");
        let passed = |service: &str| {
            let condition = json!({"StringEquals": {"iam:PassedToService": service}});
            json!({"Effect": "Allow", "Action": ["iam:PassRole"], "Resource": "*", "Condition": condition})
        };
        assert_eq!(decided(passed("lambda.amazonaws.com"), "iam:PassRole", "x"), "allowed");
        assert_eq!(decided(passed("ec2.amazonaws.com"), "iam:PassRole", "x"), "implicitDeny");
    }
}
