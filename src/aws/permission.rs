//! Our statements on the policy of the alias `live`. Other statements are never touched.

use super::error::Doing;
use super::place::Place;
use crate::apply::CloudError;
use crate::plan::Diff;
use crate::stack::{Names, Permission};
use aws_sdk_lambda::types::FunctionUrlAuthType;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) async fn observe(place: &Place<'_>) -> Result<BTreeSet<Permission>, CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.get_policy().function_name(&name).qualifier(Names::ALIAS);
    let found = call.send().await.if_found(|| format!("read the policy of function `{name}`"))?;
    Ok(found.and_then(|output| output.policy).map(|policy| recognised(&policy)).unwrap_or_default())
}

/// The statements that are ours by id *and* by content: one that was changed does not do what ours does.
fn recognised(policy: &str) -> BTreeSet<Permission> {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements = policy["Statement"].as_array().map(Vec::as_slice).unwrap_or_default();
    let stands = |permission: &Permission| statements.iter().any(|statement| says(statement, *permission));
    Permission::ALL.into_iter().filter(stands).collect()
}

fn says(statement: &Value, permission: Permission) -> bool {
    let condition = match permission {
        Permission::InvokeUrl => json!({ "StringEquals": { "lambda:FunctionUrlAuthType": "NONE" } }),
        Permission::InvokeThroughUrl => json!({ "Bool": { "lambda:InvokedViaFunctionUrl": "true" } }),
    };
    let everyone = [json!("*"), json!({ "AWS": "*" })];
    statement["Sid"] == permission.sid()
        && statement["Effect"] == "Allow"
        && statement["Action"] == permission.action()
        && everyone.contains(&statement["Principal"])
        && statement["Condition"] == condition
}

pub(super) async fn carry_out(place: &Place<'_>, diff: &Diff<Permission>) -> Result<(), CloudError> {
    match diff {
        Diff::Create(permission) | Diff::Update { to: permission, .. } => add(place, *permission).await,
        Diff::Delete(permission) => {
            let name = place.names.function_name();
            let call = place.account.lambda.remove_permission().function_name(&name).qualifier(Names::ALIAS);
            let sent = call.statement_id(permission.sid()).send().await;
            sent.if_found(|| format!("remove statement `{}` from function `{name}`", permission.sid())).map(|_| ())
        }
    }
}

async fn add(place: &Place<'_>, permission: Permission) -> Result<(), CloudError> {
    let name = place.names.function_name();
    let call = place
        .account
        .lambda
        .add_permission()
        .function_name(&name)
        .qualifier(Names::ALIAS)
        .statement_id(permission.sid())
        .principal("*")
        .action(permission.action());
    let call = match permission {
        Permission::InvokeUrl => call.function_url_auth_type(FunctionUrlAuthType::None),
        Permission::InvokeThroughUrl => call.invoked_via_function_url(true),
    };
    let action = || format!("add statement `{}` to function `{name}`", permission.sid());
    match call.send().await.doing(action).map(|_| ()) {
        // The id is taken: by our own earlier call, or by something that only looks like ours.
        Err(error) if error.is("ResourceConflictException") && observe(place).await?.contains(&permission) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(permission: Permission, condition: Value) -> Value {
        json!({ "Sid": permission.sid(), "Effect": "Allow", "Principal": "*", "Action": permission.action(),
                "Resource": "arn:aws:lambda:eu-central-1:123456789012:function:app-chat:live", "Condition": condition })
    }

    #[test]
    fn a_statement_is_ours_by_id_and_content() {
        let right = json!({ "StringEquals": { "lambda:FunctionUrlAuthType": "NONE" } });
        let wrong = json!({ "StringEquals": { "lambda:FunctionUrlAuthType": "AWS_IAM" } });
        let policy = |condition| json!({ "Statement": [statement(Permission::InvokeUrl, condition)] }).to_string();
        assert_eq!(recognised(&policy(right)), BTreeSet::from([Permission::InvokeUrl]));
        assert_eq!(recognised(&policy(wrong)), BTreeSet::new());
    }
}
