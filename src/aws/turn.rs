//! Makes calls wait for their turn, as `rate.rs` decides.
//!
//! The SDK does the waiting. A call whose turn has not come fails before it is signed and sent, with [`NotYet`], and
//! the SDK repeats it after the time that the error names. Neither this nor a throttled attempt counts as one of the
//! call's attempts, and no timeout runs meanwhile. What the SDK has for this itself, its adaptive mode, gives up after as
//! many attempts as ever, and does not report that it waits.

use super::error::is_quota;
use super::patience;
use super::rate::{Rates, class_of};
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime::client::retries::TokenBucket;
use aws_smithy_runtime::client::retries::classifiers::run_classifiers_on_ctx;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::retry::ErrorKind;
use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

/// Where the SDK keeps account of its retries: it must not run out of them, because most are no retries.
pub(super) fn partition() -> RetryPartition {
    RetryPartition::custom("lamstream").token_bucket(TokenBucket::unlimited()).build()
}

/// Why a call was not sent, or its throttled answer not passed on: it has to wait for this long.
#[derive(Debug)]
struct NotYet(Duration);

impl fmt::Display for NotYet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AWS's rate limit allows the call in {:?}", self.0)
    }
}

impl Error for NotYet {}

/// How far a call is. The SDK keeps it from attempt to attempt.
#[derive(Clone, Copy, Debug, Default)]
struct CallState {
    /// The turn that it waits for.
    due: Option<Instant>,
    /// When its last attempt was sent.
    sent: Option<Instant>,
    /// When AWS first throttled it.
    throttled: Option<Instant>,
    /// The attempts that AWS received and did not throttle.
    attempts: u32,
}

impl Storable for CallState {
    type Storer = StoreReplace<CallState>;
}

fn class_in(bag: &ConfigBag) -> Option<usize> {
    bag.load::<Metadata>().and_then(|call| class_of(call.service(), call.name()))
}

impl Intercept for Rates {
    fn name(&self) -> &'static str {
        "AWS's rate limits"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(class) = class_in(bag) else { return Ok(()) };
        let mut state = bag.load::<CallState>().copied().unwrap_or_default();
        let now = Instant::now();
        let due = state.due.unwrap_or_else(|| self.turn(class, now));
        let wait = due.saturating_duration_since(now);
        if wait.is_zero() {
            state = CallState { due: None, sent: Some(now), attempts: state.attempts + 1, ..state };
        } else {
            state.due = Some(due);
        }
        // The SDK gives up after a number of attempts.
        bag.interceptor_state().store_put(RequestAttempts::new(state.attempts.max(1)));
        bag.interceptor_state().store_put(state);
        if wait.is_zero() { Ok(()) } else { Err(NotYet(wait).into()) }
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(class) = class_in(bag) else { return Ok(()) };
        let Some(state) = bag.load::<CallState>().copied().filter(|state| state.due.is_none()) else {
            return Ok(());
        };
        let Some(response) = context.response() else { return Ok(()) };
        let now = Instant::now();
        if !is_throttled(context.inner(), components) {
            self.answered(class, now);
            return Ok(());
        }
        let retry_after = response.headers().get("retry-after").and_then(|seconds| seconds.parse().ok());
        let retry_after = Duration::from_secs(retry_after.unwrap_or_default());
        let (due, silent) = self.throttled(class, state.sent.unwrap_or(now), now, retry_after);
        let throttled = state.throttled.unwrap_or(now);
        // As long as AWS answers others, the call only waits for its turn.
        if silent.min(now.saturating_duration_since(throttled)) > patience::throttled() {
            return Ok(());
        }
        let attempts = state.attempts.saturating_sub(1);
        bag.interceptor_state().store_put(CallState { due: Some(due), throttled: Some(throttled), attempts, ..state });
        bag.interceptor_state().store_put(RequestAttempts::new(attempts.max(1)));
        Err(NotYet(due.saturating_duration_since(now)).into())
    }
}

fn is_throttled(context: &InterceptorContext, components: &RuntimeComponents) -> bool {
    let Some(response) = context.response() else { return false };
    let is_429 = response.status().as_u16() == 429;
    let is_quota = response.body().bytes().is_some_and(is_quota);
    let action = run_classifiers_on_ctx(components.retry_classifiers(), context);
    let says_so = matches!(
        action,
        RetryAction::RetryIndicated(RetryReason::RetryableError { kind: ErrorKind::ThrottlingError, .. })
    );
    is_429 || (says_so && !is_quota)
}

/// Makes the SDK wait for as long as [`NotYet`] says.
#[derive(Debug)]
pub(super) struct WaitsForTurns;

impl ClassifyRetry for WaitsForTurns {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if let Some(NotYet(wait)) = error.downcast_ref() {
                let (kind, retry_after) = (ErrorKind::ThrottlingError, Some(*wait));
                return RetryAction::RetryIndicated(RetryReason::RetryableError { kind, retry_after });
            }
            cause = error.source();
        }
        RetryAction::NoActionIndicated
    }

    fn name(&self) -> &'static str {
        "AWS's rate limits"
    }

    /// The last word.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}
