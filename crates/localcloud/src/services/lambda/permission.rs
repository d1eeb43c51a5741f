//! Resource policies, one per qualifier.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::check::is_name;
use super::name::{Name, is_visible, policy_qualifier};
use crate::clock;
use crate::services::call::Call;
use crate::wire::error::Fault;
use crate::world::function::{Function, arn, expect_revision};
use crate::world::policy::Statement;
use crate::world::revision;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    statement_id: Option<String>,
    action: Option<String>,
    principal: Option<String>,
    source_arn: Option<String>,
    source_account: Option<String>,
    event_source_token: Option<String>,
    #[serde(rename = "PrincipalOrgID")]
    principal_org_id: Option<String>,
    function_url_auth_type: Option<String>,
    invoked_via_function_url: Option<bool>,
    revision_id: Option<String>,
}

impl Input {
    fn condition(&self) -> Value {
        let mut condition = Map::<String, Value>::new();
        let mut add = |operator: &str, key: &str, value: &Option<String>| {
            if let Some(value) = value {
                let keys = condition.entry(operator).or_insert_with(|| json!({}));
                keys[key] = json!(value);
            }
        };
        add("StringEquals", "lambda:FunctionUrlAuthType", &self.function_url_auth_type);
        add("StringEquals", "AWS:SourceAccount", &self.source_account);
        add("StringEquals", "lambda:EventSourceToken", &self.event_source_token);
        add("StringEquals", "aws:PrincipalOrgID", &self.principal_org_id);
        add("ArnLike", "AWS:SourceArn", &self.source_arn);
        // AWS writes `true` as a string, and leaves out `false`.
        let via_url = self.invoked_via_function_url.filter(|yes| *yes).map(|yes| yes.to_string());
        add("Bool", "lambda:InvokedViaFunctionUrl", &via_url);
        Value::Object(condition)
    }

    fn is_public(&self) -> bool {
        let bounds = [&self.source_arn, &self.source_account, &self.principal_org_id];
        self.principal.as_deref() == Some("*") && bounds.iter().all(|bound| bound.is_none())
    }

    fn statement(&self, arn: &str) -> Result<Value, Fault> {
        let needed = |value: &Option<String>, member: &str| value.clone().ok_or_else(|| Fault::absent(member));
        let id = needed(&self.statement_id, "statementId")?;
        let action = needed(&self.action, "action")?;
        let principal = needed(&self.principal, "principal")?;
        if !is_name(&id, 100) {
            return Err(Fault::validation(
                &id,
                "statementId",
                "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
            ));
        }
        let verb = action.strip_prefix("lambda:").unwrap_or_default();
        if action != "*" && (verb.is_empty() || !verb.chars().all(|c| c.is_ascii_alphabetic() || c == '*')) {
            return Err(Fault::validation(
                &action,
                "action",
                "Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])",
            ));
        }
        if self.function_url_auth_type.is_some() && action != "lambda:InvokeFunctionUrl" {
            return Err(Fault::parameter("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action"));
        }
        if self.invoked_via_function_url.is_some() && action != "lambda:InvokeFunction" {
            return Err(Fault::parameter("InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action"));
        }
        let principal = if principal == "*" {
            json!("*")
        } else if principal.ends_with(".amazonaws.com") {
            json!({"Service": principal})
        } else if principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit()) {
            let partition = arn.split(':').nth(1).unwrap_or("aws");
            json!({"AWS": format!("arn:{partition}:iam::{principal}:root")})
        } else if principal.starts_with("arn:") {
            json!({"AWS": principal})
        } else {
            return Err(Fault::parameter(
                "The provided principal was invalid. Please check the principal and try again.",
            ));
        };
        let mut statement =
            json!({"Sid": id, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": arn});
        let condition = self.condition();
        if condition != json!({}) {
            statement["Condition"] = condition;
        }
        Ok(statement)
    }
}

/// The RevisionId of a qualifier's policy; if it has none, that of the alias or version.
fn revision_of(function: &Function, qualifier: &str) -> Result<String, Fault> {
    let policy = function.policies.get(qualifier).filter(|policy| !policy.statements.is_empty());
    if let Some(policy) = policy.filter(|policy| !policy.revision.is_empty()) {
        return Ok(policy.revision.clone());
    }
    match function.aliases.get(qualifier) {
        Some(alias) => Ok(alias.revision.clone()),
        None => Ok(function.resolve(qualifier)?.revision.clone()),
    }
}

/// A change of a policy also changes the revision of its function, version or alias.
fn touch(function: &mut Function, qualifier: &str) {
    let revision = revision::fresh();
    if let Some(policy) = function.policies.get_mut(qualifier) {
        policy.revision.clone_from(&revision);
    }
    if let Some(alias) = function.aliases.get_mut(qualifier) {
        alias.revision = revision;
    } else if qualifier.is_empty() {
        function.latest.revision = revision;
    } else if let Some(version) = qualifier.parse().ok().and_then(|number| function.versions.get_mut(&number)) {
        version.revision = revision;
    }
}

pub(super) fn add(call: &Call, name: &Name) -> Answer {
    let input: Input = call.input()?;
    let qualifier = name.qualifier.clone();
    let blocked = call.options().block_public;
    name.change(call, |function| {
        policy_qualifier(function, &qualifier)?;
        let document = input.statement(&function.arn(&qualifier))?;
        if blocked && input.is_public() {
            return Err(Fault::new(400, "PublicPolicyException", "Lambda prevented your policy from being created because it would grant public access to your function."));
        }
        expect_revision(input.revision_id.as_deref(), &revision_of(function, &qualifier)?, "GetPolicy")?;
        let id = input.statement_id.unwrap_or_default();
        let policy = function.policies.entry(qualifier.clone()).or_default();
        if policy.statements.iter().any(|statement| statement.id == id) {
            return Err(Fault::conflict(format!("The statement id ({id}) provided already exists. Please provide a new statement id, or remove the existing statement.")));
        }
        if policy.document().len() + document.to_string().len() > 20_480 {
            return Err(Fault::new(400, "PolicyLengthExceededException", "The final policy size is bigger than the limit (20480)."));
        }
        let text = document.to_string();
        policy.statements.push(Statement { id, added: clock::now(), document });
        touch(function, &qualifier);
        Ok((201, json!({"Statement": text})))
    })
}

pub(super) fn get(call: &Call, name: &Name) -> Answer {
    let missing = || Fault::not_found("The resource you requested does not exist.");
    call.read(|world| {
        let function = name.find(call, world).map_err(|_| missing())?;
        let policy = function.policies.get(&name.qualifier).filter(|policy| !policy.statements.is_empty());
        let policy = policy.ok_or_else(missing)?;
        Ok((200, json!({"Policy": policy.document(), "RevisionId": revision_of(function, &name.qualifier)?})))
    })
}

pub(super) fn remove(call: &Call, name: &Name, id: &str) -> Answer {
    let qualifier = name.qualifier.clone();
    let wanted = call.query("RevisionId");
    call.change(|world| {
        let function = world.region(&call.region).functions.get_mut(&name.function);
        let nowhere = || {
            let arn = arn(&call.region, &name.function, &qualifier);
            Fault::not_found(format!("No policy found for: {arn}"))
        };
        let function = function.filter(|function| is_visible(call, function)).ok_or_else(nowhere)?;
        policy_qualifier(function, &qualifier)?;
        let missing = || Fault::not_found(format!("Statement {id} is not found in resource policy."));
        let current = revision_of(function, &qualifier)?;
        let none = || Fault::not_found("No policy is associated with the given resource.");
        let policy =
            function.policies.get_mut(&qualifier).filter(|policy| !policy.statements.is_empty()).ok_or_else(none)?;
        let at = policy.statements.iter().position(|statement| statement.id == id).ok_or_else(missing)?;
        expect_revision(wanted.as_deref(), &current, "GetPolicy")?;
        policy.statements.remove(at);
        touch(function, &qualifier);
        Ok((204, Value::Null))
    })
}
