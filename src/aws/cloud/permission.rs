//! Our statements in the policy of the alias `live`. Other statements are never changed.

use crate::apply::{CloudError, Reason};
use crate::aws::access::Account;
use crate::aws::error::{Doing, may_exist};
use crate::aws::place::Place;
use crate::plan::Diff;
use crate::stack::{Names, Permission};
use aws_sdk_lambda::types::FunctionUrlAuthType;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The policy of the alias `live`.
pub(super) struct Policy {
    pub ours: BTreeSet<Permission>,
    /// Other statements, which let others call the function.
    pub others: Vec<Value>,
}

/// `name` is the function's name on AWS.
pub(super) async fn observe(account: &Account, name: &str) -> Result<Policy, CloudError> {
    let statements = statements(account, name).await?;
    let ours = recognised(&statements);
    let is_ours = |statement: &Value| ours.iter().any(|permission| says(statement, *permission));
    let others = statements.iter().filter(|statement| !is_ours(statement)).cloned().collect();
    Ok(Policy { ours, others })
}

async fn statements(account: &Account, name: &str) -> Result<Vec<Value>, CloudError> {
    let call = account.lambda.get_policy().function_name(name).qualifier(Names::ALIAS);
    let found = call.send().await.if_found(|| format!("read the policy of function `{name}`"))?;
    let policy: Value =
        serde_json::from_str(&found.and_then(|output| output.policy).unwrap_or_default()).unwrap_or_default();
    Ok(policy["Statement"].as_array().cloned().unwrap_or_default())
}

/// The statements that are ours by id *and* by content: one that was changed does not do what ours does.
fn recognised(statements: &[Value]) -> BTreeSet<Permission> {
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
    let error = match call.send().await.doing(action) {
        Err(error) if may_exist(&error) => error,
        other => return other.map(|_| ()),
    };
    let statements = statements(place.account, &name).await?;
    if recognised(&statements).contains(&permission) {
        return Ok(());
    }
    // If nothing has the id, AWS is still busy with the policy; otherwise something only looks like ours.
    let is_taken = statements.iter().any(|statement| statement["Sid"] == permission.sid());
    Err(CloudError { reason: if is_taken { error.reason } else { Reason::Busy }, ..error })
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
        let policy = |condition| [statement(Permission::InvokeUrl, condition)];
        assert_eq!(recognised(&policy(right)), BTreeSet::from([Permission::InvokeUrl]));
        assert_eq!(recognised(&policy(wrong)), BTreeSet::new());
    }
}
