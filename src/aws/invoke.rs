//! Invokes one version directly, and streams its response.

use super::access::Account;
use super::error::{Doing, trouble};
use super::place::Place;
use super::version::{Condition, Version, unready};
use super::wait::{Delay, Polled, Subject, Wait};
use crate::apply::{CloudError, Observer, Reason};
use aws_sdk_lambda::config::StalledStreamProtectionConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::operation::RequestId;
use aws_sdk_lambda::operation::invoke_with_response_stream::InvokeWithResponseStreamOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{InvokeWithResponseStreamResponseEvent, LogType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;

/// An invocation whose response has started.
pub struct Invoked {
    action: String,
    output: InvokeWithResponseStreamOutput,
}

/// A part of the response.
pub enum Part {
    Chunk(Vec<u8>),
    /// The last part: the code and details of an error, if there was one, and up to 4 KB of the function's log.
    End {
        error: Option<(String, String)>,
        log: String,
    },
}

impl Place<'_> {
    /// Does something that invokes a version, and does it again while all of the function's concurrency is in use, or
    /// until Lambda has the version ready.
    ///
    /// # Errors
    /// Those of `work`; no concurrency left when `limit` is over; a version that Lambda cannot restore.
    pub async fn when_free<T>(
        &self,
        version: &str,
        limit: Duration,
        observer: &Observer<'_>,
        mut work: impl AsyncFnMut() -> Result<T, CloudError>,
    ) -> Result<T, CloudError> {
        let wait = Wait { function: &self.names.function, for_what: "a running request to finish", limit };
        let mut late: Option<(Delay, CloudError)> = None;
        wait.until(observer, async || {
            if let Some((delay, error)) = &late {
                let (delay, is_pending) = self.with_state(version, delay, error).await?;
                if is_pending {
                    return Ok(Polled::Late(delay, error.clone()));
                }
            }
            match work().await {
                Ok(done) => Ok(Polled::Done(done)),
                Err(error) if error.reason == Reason::Throttled => Ok(Polled::NotYet(error)),
                Err(error) => {
                    let Some(delay) = self.delay(Subject::Invocation, error.reason).await else { return Err(error) };
                    late = Some((delay.clone(), error.clone()));
                    Ok(Polled::Late(delay, error))
                }
            }
        })
        .await
    }

    /// Adds the version's state to what is waited for, and says whether Lambda is still preparing the version.
    async fn with_state(&self, version: &str, delay: &Delay, error: &CloudError) -> Result<(Delay, bool), CloudError> {
        let found = self.get_function(Some(version)).await?;
        let Some(configuration) = found.as_ref().and_then(|found| found.configuration()) else {
            return Ok((delay.clone(), false));
        };
        let condition = Version::of(configuration, &self.names).condition;
        if let Condition::NeverMade(why) = condition {
            return Err(CloudError { reason: Reason::Refused, message: why, ..error.clone() });
        }
        let state = configuration.state().map_or("unknown", |state| state.as_str());
        let for_what = format!("{}, version {version}: {state}", delay.for_what).into();
        Ok((Delay { for_what, ..delay.clone() }, condition == Condition::Busy))
    }

    /// Invokes the version of this number with an event in JSON. `limit` is the longest until the answer begins, `header`
    /// one that a cloud on this machine understands.
    ///
    /// # Errors
    /// If the call fails. An error of the function itself is an `End` with an error.
    pub async fn invoke(
        &self,
        version: &str,
        event: &[u8],
        limit: Duration,
        header: Option<(&'static str, &'static str)>,
    ) -> Result<Invoked, CloudError> {
        let name = self.names.function_name();
        let action = format!("invoke version {version} of function `{name}`");
        let call = self.account.lambda.invoke_with_response_stream().function_name(&name).qualifier(version);
        let call = call.log_type(LogType::Tail).payload(Blob::new(event)).customize();
        let call = call.mutate_request(move |request| {
            if let Some((name, value)) = header {
                request.headers_mut().insert(name, value);
            }
        });
        let output = call.config_override(patient(limit)).send().await.doing(|| action.clone())?;
        output.request_id().into_iter().for_each(|request| self.note_invoked(request));
        Ok(Invoked { action, output })
    }
}

/// A function may be silent for as long as its timeout allows.
fn patient(limit: Duration) -> aws_sdk_lambda::config::Builder {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(limit).build();
    aws_sdk_lambda::config::Builder::new()
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

impl Account {
    /// Why a version cannot answer yet; `None` if it can. `function_name` is the function's name on AWS, `qualifier` a
    /// number or an alias.
    ///
    /// # Errors
    /// If the version cannot be read.
    pub async fn unready(&self, function_name: &str, qualifier: &str) -> Result<Option<String>, CloudError> {
        let call = self.lambda.get_function().function_name(function_name).qualifier(qualifier);
        let found = call.send().await.if_found(|| format!("read function `{function_name}`"))?;
        Ok(found.as_ref().and_then(|found| found.configuration()).and_then(unready))
    }
}

impl Invoked {
    /// # Errors
    /// If the connection breaks.
    pub async fn next(&mut self) -> Result<Part, CloudError> {
        loop {
            let broken = |reason: String| CloudError::new(&self.action, Reason::Unreachable, reason);
            match self.output.event_stream.recv().await {
                Ok(Some(InvokeWithResponseStreamResponseEvent::PayloadChunk(chunk))) => {
                    return Ok(Part::Chunk(chunk.payload.map(Blob::into_inner).unwrap_or_default()));
                }
                Ok(Some(InvokeWithResponseStreamResponseEvent::InvokeComplete(end))) => {
                    let log = STANDARD.decode(end.log_result.unwrap_or_default()).unwrap_or_default();
                    let error = end.error_code.map(|code| (code, end.error_details.unwrap_or_default()));
                    return Ok(Part::End { error, log: String::from_utf8_lossy(&log).into_owned() });
                }
                Ok(Some(_)) => {}
                Ok(None) => return Err(broken("the answer ended without its last frame".to_owned())),
                Err(error) => return Err(broken(trouble(&error))),
            }
        }
    }
}
