//! Hands credentials of a profile to functions of the local cloud, with an operation that only the local cloud has.

use super::access::{self, Account};
use super::api::LAMBDA;
use super::call::Call;
use super::error::NO_CODE;
use crate::apply::CloudError;
use crate::stack::Secret;
use aws_runtime::auth::SigningOptions;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use serde_json::json;
use std::time::SystemTime;

/// The credentials of a profile, as they are now.
pub struct Chosen {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Secret>,
    /// `None` if they do not expire.
    pub expiry: Option<SystemTime>,
}

impl Chosen {
    /// The credentials of a profile. The only calls are those that it requires, such as to assume a role.
    ///
    /// # Errors
    /// If the profile does not exist, or has no valid credentials.
    pub async fn of_profile(name: &str, region: &str) -> Result<Chosen, CloudError> {
        let found = access::credentials(name, region).await?;
        Ok(Chosen {
            access_key_id: found.access_key_id().to_owned(),
            secret_access_key: Secret::new(found.secret_access_key()),
            session_token: found.session_token().map(Secret::new),
            expiry: found.expiry(),
        })
    }

    /// What no output may contain.
    pub fn secrets(&self) -> impl Iterator<Item = Secret> {
        [self.secret_access_key.clone()].into_iter().chain(self.session_token.clone())
    }

    fn document(&self) -> Secret {
        let token = self.session_token.as_ref().map(Secret::reveal);
        let document = json!({
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key.reveal(),
            "SessionToken": token,
        });
        Secret::new(document.to_string())
    }
}

impl Account {
    /// Gives a function of the local cloud these credentials; `None` takes them back. The function may not exist yet.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn hand_over(&self, function_name: &str, chosen: Option<&Chosen>) -> Result<(), CloudError> {
        let method = if chosen.is_some() { http::Method::PUT } else { http::Method::DELETE };
        let path = format!("/2015-03-31/functions/{function_name}/local-credentials");
        let call = Call {
            api: &LAMBDA,
            operation: "PutLocalCredentials",
            signing: SigningOptions::default(),
            timeouts: None,
            input: chosen.map_or_else(|| Secret::new(""), Chosen::document),
        };
        let serialize = move |body: Secret| request(&method, &path, &body);
        let action = || format!("hand credentials to function `{function_name}`");
        self.send(call, serialize, answer, action).await
    }
}

fn request(method: &http::Method, path: &str, body: &Secret) -> Result<HttpRequest, BoxError> {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .header("content-length", body.reveal().len())
        .body(SdkBody::from(body.reveal()))?;
    Ok(request.try_into()?)
}

fn answer(response: &HttpResponse) -> Result<(), OrchestratorError<ErrorMetadata>> {
    if response.status().is_success() {
        return Ok(());
    }
    let code = response.headers().get("x-amzn-errortype").unwrap_or(NO_CODE);
    Err(OrchestratorError::operation(ErrorMetadata::builder().code(code).build()))
}
