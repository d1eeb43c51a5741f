//! The control plane: states, revisions, versions and their errors. The first check makes the function `raw`.

use super::{Fact, Refusal, accepted, answer, facts, refused};
use crate::live::{LINK, Live, RAW, SETTLES};
use crate::place::until;
use crate::report::{Seen, seen};
use crate::sweep::{make_role, role_arn};
use anyhow::{Context as _, Result};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, LastUpdateStatus, Runtime, SnapStart, SnapStartApplyOn, State};
use std::time::Instant;

pub(super) const FACTS: &[Fact] = facts! {
    Everywhere "role-delay" "CreateFunction with a new role is refused for a while: \"The role defined for the function cannot be assumed by Lambda.\"" role_delay;
    Everywhere "visible-after-create" "GetFunction finds a new function within five minutes" visible;
    Everywhere "function-states" "A new function is Pending, then Active" becomes_active;
    Everywhere "create-publishes" "CreateFunction with Publish publishes a version with the function's description" create_publishes;
    Everywhere "update-conflict" "During an update other writes get 409 ResourceConflictException" update_conflict;
    Everywhere "publish-active" "PublishVersion of an active function returns an active version" publish_active;
    Everywhere "publish-repeated" "PublishVersion creates no new version if nothing has changed" publish_repeated;
    Everywhere "lists-without-state" "ListFunctions and ListVersionsByFunction return no state" lists_without_state;
    Everywhere "revision-changes" "RevisionId changes at an update, again when it is complete, at PublishVersion, AddPermission and TagResource" revision_changes;
    Everywhere "revision-stale" "A stale RevisionId gets 412 PreconditionFailedException" revision_stale;
    Everywhere "environment-echo" "The error for an environment over 4 KB repeats the values" environment_echo;
    Everywhere "snapstart-runtime" "SnapStart is refused for a runtime without it" snapstart_runtime;
};

/// The function's first description.
const FIRST: &str = "The first version has this, too.";

async fn role_delay(live: &Live<'_>) -> Result<Seen> {
    let place = live.place;
    make_role(place, RAW).await?;
    let zip = live.repacked(&[
        ("data", "data\n", 0o644),
        ("locked", "locked\n", 0o600),
        ("inner", "data", LINK),
        ("absolute", "/etc/os-release", LINK),
        ("outside", "../outside", LINK),
    ])?;
    let environment = Environment::builder().variables("PROBE_MODE", "buffered").build();
    let refusals = std::cell::Cell::new(0);
    let created = until(SETTLES, || async {
        let code = FunctionCode::builder().zip_file(Blob::new(zip.clone())).build();
        let create = place.lambda.create_function().function_name(live.name(RAW)).code(code);
        let create = create.runtime(Runtime::Providedal2023).handler("bootstrap").role(role_arn(place, RAW));
        let create = create.tags("lamstream-live", &place.app).environment(environment.clone()).timeout(10);
        let create = create.publish(true).description(FIRST);
        let outcome = answer(create.send().await)?.map(drop);
        let is_early = is_about_the_role(&outcome);
        refusals.set(refusals.get() + u32::from(is_early));
        Ok((!is_early).then_some(outcome))
    });
    match created.await? {
        None => seen(false, "refused for more than 90 s"),
        Some((Err(refusal), _)) => seen(false, format!("another refusal: {refusal}")),
        Some((Ok(()), after)) => {
            let text = format!("accepted after {} refusals in {:.1} s", refusals.get(), after.as_secs_f64());
            seen(refusals.get() > 0, text)
        }
    }
}

fn is_about_the_role(outcome: &Result<(), Refusal>) -> bool {
    let words = "The role defined for the function cannot be assumed by Lambda.";
    outcome.as_ref().is_err_and(|refusal| refusal.message == words)
}

async fn visible(live: &Live<'_>) -> Result<Seen> {
    let found = until(SETTLES, || async {
        Ok(answer(live.place.lambda.get_function().function_name(live.name(RAW)).send().await)?.ok())
    });
    match found.await? {
        Some((_, after)) => seen(true, format!("found after {:.1} s", after.as_secs_f64())),
        None => seen(false, "not found after 90 s"),
    }
}

async fn becomes_active(live: &Live<'_>) -> Result<Seen> {
    let mut first = None;
    let began = Instant::now();
    loop {
        let state = configuration(live).await?.state.context("it has no state")?;
        let first = first.get_or_insert_with(|| state.clone()).clone();
        if state != State::Pending || began.elapsed() > SETTLES {
            let text = format!("{first} at first, {state} after {:.1} s", began.elapsed().as_secs_f64());
            return seen(state == State::Active, text);
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

async fn create_publishes(live: &Live<'_>) -> Result<Seen> {
    let versions = live.place.lambda.list_versions_by_function().function_name(live.name(RAW)).send().await;
    let published =
        accepted(versions)?.versions.unwrap_or_default().pop().context("AWS lists no version of the function")?;
    let (number, description) = (published.version.unwrap_or_default(), published.description.unwrap_or_default());
    seen(number != "$LATEST" && description == FIRST, format!("version {number}: {description:?}"))
}

type Configuration = aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;

async fn configuration(live: &Live<'_>) -> Result<Configuration> {
    accepted(live.place.lambda.get_function_configuration().function_name(live.name(RAW)).send().await)
}

async fn revision(live: &Live<'_>) -> Result<String> {
    configuration(live).await?.revision_id.context("it has no revision")
}

/// Starts an update, and gives the revision that the response has.
async fn update(live: &Live<'_>, description: &str) -> Result<Option<String>> {
    let update = live.place.lambda.update_function_configuration().function_name(live.name(RAW));
    Ok(accepted(update.description(description).send().await)?.revision_id)
}

async fn updated(live: &Live<'_>) -> Result<()> {
    let complete = until(SETTLES, || async {
        let status = configuration(live).await?.last_update_status;
        Ok((status != Some(LastUpdateStatus::InProgress)).then_some(()))
    });
    complete.await?.context("the update is not complete after 90 s").map(drop)
}

async fn update_conflict(live: &Live<'_>) -> Result<Seen> {
    update(live, "one").await?;
    let second = live.place.lambda.update_function_configuration().function_name(live.name(RAW)).description("two");
    let said = refused(second.send().await)?;
    updated(live).await?;
    seen(said.status == 409 && said.code == "ResourceConflictException", said.to_string())
}

async fn publish(live: &Live<'_>) -> Result<aws_sdk_lambda::operation::publish_version::PublishVersionOutput> {
    accepted(live.place.lambda.publish_version().function_name(live.name(RAW)).send().await)
}

async fn publish_active(live: &Live<'_>) -> Result<Seen> {
    let state = publish(live).await?.state;
    seen(state == Some(State::Active), format!("{state:?}"))
}

async fn publish_repeated(live: &Live<'_>) -> Result<Seen> {
    let (one, two) = (publish(live).await?.version, publish(live).await?.version);
    seen(one == two, format!("{} and {}", one.unwrap_or_default(), two.unwrap_or_default()))
}

async fn lists_without_state(live: &Live<'_>) -> Result<Seen> {
    let lambda = &live.place.lambda;
    let functions = accepted(lambda.list_functions().send().await)?.functions.unwrap_or_default();
    let versions = accepted(lambda.list_versions_by_function().function_name(live.name(RAW)).send().await)?;
    let versions = versions.versions.unwrap_or_default();
    let with_state = functions.iter().chain(&versions).filter(|found| found.state.is_some()).count();
    let text = format!("{with_state} of {} functions and versions have one", functions.len() + versions.len());
    seen(with_state == 0 && !versions.is_empty(), text)
}

async fn revision_changes(live: &Live<'_>) -> Result<Seen> {
    let mut revisions = vec![("at first", revision(live).await?)];
    revisions.push(("at an update", update(live, "three").await?.context("it has no revision")?));
    updated(live).await?;
    revisions.push(("when it is complete", revision(live).await?));
    publish(live).await?;
    revisions.push(("at PublishVersion", revision(live).await?));
    let lambda = &live.place.lambda;
    let permit =
        lambda.add_permission().function_name(live.name(RAW)).statement_id("own").principal(&live.place.account);
    accepted(permit.action("lambda:InvokeFunction").send().await)?;
    revisions.push(("at AddPermission", revision(live).await?));
    let arn = configuration(live).await?.function_arn.context("it has no ARN")?;
    accepted(lambda.tag_resource().resource(arn).tags("another", "1").send().await)?;
    revisions.push(("at TagResource", revision(live).await?));
    let same = revisions.windows(2).filter(|pair| pair[0].1 == pair[1].1).map(|pair| pair[1].0).collect::<Vec<_>>();
    let text = if same.is_empty() { "each time".to_owned() } else { format!("not {}", same.join(", ")) };
    seen(same.is_empty(), text)
}

async fn revision_stale(live: &Live<'_>) -> Result<Seen> {
    let update = live.place.lambda.update_function_configuration().function_name(live.name(RAW)).description("four");
    let said = refused(update.revision_id("00000000-0000-0000-0000-000000000000").send().await)?;
    seen(said.status == 412 && said.code == "PreconditionFailedException", said.to_string())
}

async fn environment_echo(live: &Live<'_>) -> Result<Seen> {
    let value = format!("only-a-probe-{}", "v".repeat(4096));
    let environment = Environment::builder().variables("LARGE", &value).build();
    let update = live.place.lambda.update_function_configuration().function_name(live.name(RAW));
    let said = refused(update.environment(environment).send().await)?;
    let repeats = said.message.contains("only-a-probe-");
    let start: String = said.message.chars().take(160).collect();
    let text =
        format!("{} {} \"{start}…\", {} the value", said.status, said.code, if repeats { "with" } else { "without" });
    seen(said.status == 400 && repeats, text)
}

async fn snapstart_runtime(live: &Live<'_>) -> Result<Seen> {
    let update = live.place.lambda.update_function_configuration().function_name(live.name(RAW));
    let snap_start = SnapStart::builder().apply_on(SnapStartApplyOn::PublishedVersions).build();
    let said = refused(update.snap_start(snap_start).send().await)?;
    seen(said.message.contains("is not supported for SnapStart enabled functions"), said.to_string())
}
