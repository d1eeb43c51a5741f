//! Who may call a Function URL, and what belongs to it.

use super::{Fact, accepted, answer, facts, refused};
use crate::live::{Live, SETTLES};
use crate::place::{Signature, until};
use crate::report::{Seen, seen};
use anyhow::{Context as _, Result};
use aws_sdk_lambda::types::FunctionUrlAuthType;
use serde_json::json;
use std::time::Duration;

pub(super) const FACTS: &[Fact] = facts! {
    Everywhere "url-conditions" "The policy of a public URL's alias has the two statements, with their conditions as AWS writes them" conditions;
    Everywhere "policy-per-qualifier" "GetPolicy of the function is ResourceNotFound while its alias has a policy" per_qualifier;
    Everywhere "url-no-version" "CreateFunctionUrlConfig refuses a version number" no_version;
    Everywhere "url-mode-stays" "UpdateFunctionUrlConfig without InvokeMode keeps the mode and the address" mode_stays;
    Everywhere "url-signed" "With `AWS_IAM`, the account's own caller needs no statement, and an unsigned request gets 403" signed;
    Everywhere "signature-age" "A request that was signed ten minutes ago gets 403, with AWS's time in `Date`" signature_age;
};

/// Takes the URL of `brief` out of service for a moment.
pub(super) const DISTURBING: &[Fact] = facts! {
    Everywhere "url-two-statements" "Without the statement for `lambda:InvokeFunction`, a public URL answers 403" two_statements;
};

async fn conditions(live: &Live<'_>) -> Result<Seen> {
    let statements = live.statements("brief", "live").await?;
    let of = |action: &str| statements.iter().find(|statement| statement["Action"] == action);
    let url = of("lambda:InvokeFunctionUrl").map(|found| found["Condition"].clone()).unwrap_or_default();
    let invoke = of("lambda:InvokeFunction").map(|found| found["Condition"].clone()).unwrap_or_default();
    let expected_url = json!({ "StringEquals": { "lambda:FunctionUrlAuthType": "NONE" } });
    let expected_invoke = json!({ "Bool": { "lambda:InvokedViaFunctionUrl": "true" } });
    seen(url == expected_url && invoke == expected_invoke, format!("{url} and {invoke}"))
}

async fn two_statements(live: &Live<'_>) -> Result<Seen> {
    let statements = live.statements("brief", "live").await?;
    let invoke = statements.iter().find(|statement| statement["Action"] == "lambda:InvokeFunction");
    let id = invoke.and_then(|found| found["Sid"].as_str()).context("the statement does not exist")?;
    let (function, lambda) = (live.name("brief"), &live.place.lambda);
    let remove = lambda.remove_permission().function_name(&function).qualifier("live").statement_id(id);
    accepted(remove.send().await)?;
    let status = |expected: u16| async move {
        let reply = live.get("brief", "").await?;
        Ok((reply.status == expected).then_some(reply.body))
    };
    let without = until(SETTLES, || status(403)).await?;
    let add = lambda.add_permission().function_name(&function).qualifier("live").statement_id(id).principal("*");
    accepted(add.action("lambda:InvokeFunction").invoked_via_function_url(true).send().await)?;
    let with = until(SETTLES, || status(200)).await?;
    let text = match (&without, &with) {
        (Some((body, closed)), Some((_, open))) => {
            let (closed, open) = (closed.as_secs_f64(), open.as_secs_f64());
            format!("403 {body} after {closed:.1} s without it, 200 after {open:.1} s with it")
        }
        (None, _) => "it still answers after 90 s".to_owned(),
        (_, None) => "it does not answer again after 90 s".to_owned(),
    };
    seen(without.is_some() && with.is_some(), text)
}

async fn per_qualifier(live: &Live<'_>) -> Result<Seen> {
    let said = refused(live.place.lambda.get_policy().function_name(live.name("brief")).send().await)?;
    seen(said.code == "ResourceNotFoundException", said.to_string())
}

async fn no_version(live: &Live<'_>) -> Result<Seen> {
    let create = live.place.lambda.create_function_url_config().function_name(live.name("brief")).qualifier("1");
    let said = refused(create.auth_type(FunctionUrlAuthType::AwsIam).send().await)?;
    seen(said.status == 400 && said.code == "ValidationException", said.to_string())
}

async fn mode_stays(live: &Live<'_>) -> Result<Seen> {
    let update = live.place.lambda.update_function_url_config().function_name(live.name("brief")).qualifier("live");
    let updated = accepted(update.auth_type(FunctionUrlAuthType::None).send().await)?;
    let mode = updated.invoke_mode.map(|mode| mode.as_str().to_owned()).unwrap_or_else(|| "no mode".into());
    let same = updated.function_url == live.url("brief", "")?;
    seen(mode == "RESPONSE_STREAM" && same, format!("{mode}, {} address", if same { "the same" } else { "another" }))
}

async fn signed(live: &Live<'_>) -> Result<Seen> {
    let policy = live.place.lambda.get_policy().function_name(live.name("signed")).qualifier("live");
    let has_policy = answer(policy.send().await)?.is_ok();
    let (with, without) = (live.get_signed("signed", "").await?, live.get("signed", "").await?);
    let policy = if has_policy { "a policy" } else { "no policy" };
    let text = format!("{policy}, signed {}, unsigned {}: {}", with.status, without.status, without.body);
    seen(!has_policy && with.status == 200 && without.status == 403, text)
}

async fn signature_age(live: &Live<'_>) -> Result<Seen> {
    let signature = Signature { age: Duration::from_secs(600), ..Signature::of("lambda") };
    let reply = live.place.signed(signature, "GET", &live.url("signed", "")?, &[], b"").await?;
    let date = reply.header("date").is_some();
    let text = format!("{} {}, {} `Date`", reply.status, reply.body, if date { "with" } else { "without" });
    seen(reply.status == 403 && date, text)
}
