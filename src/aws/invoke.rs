//! Invoking one version directly, its answer streamed as it is made.

use super::error::{Doing, trouble};
use super::place::Place;
use super::wait::{Look, Wait};
use crate::apply::{CloudError, Observer, Reason};
use aws_sdk_lambda::config::StalledStreamProtectionConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::operation::invoke_with_response_stream::InvokeWithResponseStreamOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{InvokeWithResponseStreamResponseEvent, LogType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;

/// An invocation whose answer has begun.
pub struct Invoked {
    action: String,
    output: InvokeWithResponseStreamOutput,
}

/// A piece of the answer.
pub enum Part {
    Chunk(Vec<u8>),
    /// The last: an error's code and details, where there was one, and up to 4 KB of the function's log.
    End {
        error: Option<(String, String)>,
        log: String,
    },
}

impl Place<'_> {
    /// Does something that invokes the function, and does it again while all of the function's concurrency is in use.
    ///
    /// # Errors
    /// Those of `work`; no concurrency left when `limit` is over.
    pub async fn when_free<T>(
        &self,
        limit: Duration,
        observer: &Observer<'_>,
        mut work: impl AsyncFnMut() -> Result<T, CloudError>,
    ) -> Result<T, CloudError> {
        let wait = Wait { function: &self.names.function, for_what: "a request to end", limit };
        wait.until(observer, async || match work().await {
            Err(error) if error.is("TooManyRequestsException") => Ok(Look::NotYet(error)),
            other => other.map(Look::Done),
        })
        .await
    }

    /// Invokes the version of this number with an event in JSON. `limit` is the longest until the answer begins.
    ///
    /// # Errors
    /// Those of the call; a function that fails is an `End` with an error.
    pub async fn invoke(&self, version: &str, event: &[u8], limit: Duration) -> Result<Invoked, CloudError> {
        let name = self.names.function_name();
        let action = format!("invoke version {version} of function `{name}`");
        let call = self.account.lambda.invoke_with_response_stream().function_name(&name).qualifier(version);
        let call = call.log_type(LogType::Tail).payload(Blob::new(event)).customize();
        let output = call.config_override(patient(limit)).send().await.doing(|| action.clone())?;
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

impl Invoked {
    /// # Errors
    /// When the connection breaks.
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
