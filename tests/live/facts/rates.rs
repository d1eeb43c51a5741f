//! What AWS answers to too many calls at once. Alone, so that no other check is slowed down.

use super::{Fact, Refusal, answer, facts};
use crate::live::Live;
use crate::report::{Seen, seen};
use anyhow::Result;
use futures_util::future::join_all;

pub(super) const FACTS: &[Fact] = facts! {
    Everywhere "lambda-rate" "Lambda's calls beyond 15 per second get 429 TooManyRequestsException" lambda_rate;
    Everywhere "logs-rate" "DescribeLogGroups beyond 5 per second gets ThrottlingException \"Rate exceeded\"" logs_rate;
};

/// How many calls are made at once. AWS may allow more than the rate for a moment.
const CALLS: usize = 60;

async fn lambda_rate(live: &Live<'_>) -> Result<Seen> {
    let call = || async {
        let call = live.place.once.0.get_alias().function_name(live.name("probe")).name("live");
        Ok(answer(call.send().await)?.map(drop))
    };
    outcome(join_all((0..CALLS).map(|_| call())).await, |said| {
        said.status == 429 && said.code == "TooManyRequestsException"
    })
}

async fn logs_rate(live: &Live<'_>) -> Result<Seen> {
    let call = || async {
        let call =
            live.place.once.1.describe_log_groups().log_group_name_prefix(format!("/aws/lambda/{}", live.place.app));
        Ok(answer(call.send().await)?.map(drop))
    };
    outcome(join_all((0..CALLS).map(|_| call())).await, |said| {
        said.code == "ThrottlingException" && said.message == "Rate exceeded"
    })
}

fn outcome(answers: Vec<Result<Result<(), Refusal>>>, is_expected: fn(&Refusal) -> bool) -> Result<Seen> {
    let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
    let refusals: Vec<&Refusal> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    let text = match refusals.first() {
        Some(first) => format!("{} of {CALLS} refused: {first}", refusals.len()),
        None => format!("none of {CALLS} refused"),
    };
    seen(!refusals.is_empty() && refusals.iter().all(|said| is_expected(said)), text)
}
