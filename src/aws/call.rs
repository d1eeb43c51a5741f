//! Calls services without their SDK clients, through the SDK's own runtime: signing, endpoints, timeouts and retries.
//! The clients of Systems Manager and Secrets Manager would add 89 s to a cold build on two cores, for one read each.
//! The client of S3 would add as much, for six simple calls.

use super::access::Account;
use super::api::Api;
use super::error::{Doing, NO_CODE};
use super::turn::{self, WaitsForTurns};
use crate::apply::{CloudError, Reason};
use crate::stack::Secret;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{AuthSchemeOptionResolverParams, SharedAuthScheme};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError, SensitiveOutput};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::{Region, SigningRegion};
use aws_types::request_id::apply_request_id;
use serde_json::Value;

/// A service that uses the AWS JSON 1.1 protocol.
pub(super) struct JsonApi {
    pub api: &'static Api,
    /// The prefix of the operation's name in `X-Amz-Target`.
    pub target: &'static str,
}

/// One call, independent of the service's protocol.
pub(super) struct Call<I> {
    pub api: &'static Api,
    pub operation: &'static str,
    pub signing: SigningOptions,
    pub timeouts: Option<TimeoutConfig>,
    pub input: I,
}

impl Account {
    /// Calls one operation. `action` completes "cannot …".
    ///
    /// # Errors
    /// If the service refuses the call, with its code, or does not answer it.
    pub(super) async fn call(
        &self,
        api: &JsonApi,
        operation: &'static str,
        input: Value,
        action: impl Fn() -> String,
    ) -> Result<Value, CloudError> {
        let target = format!("{}.{operation}", api.target);
        let call = Call {
            api: api.api,
            operation,
            signing: SigningOptions::default(),
            timeouts: None,
            input: Secret::new(input.to_string()),
        };
        let body = self.send(call, move |body: Secret| request(&target, &body), answer, &action).await?;
        // A message from serde may quote the text, so it is dropped.
        serde_json::from_str(body.reveal())
            .map_err(|_| CloudError::new(action(), Reason::Unreachable, "the answer is not JSON"))
    }

    /// Signs and sends a request, and retries it if that may help. The caller serializes the request and reads the
    /// response.
    ///
    /// # Errors
    /// As for [`Account::call`].
    pub(super) async fn send<I, O>(
        &self,
        call: Call<I>,
        serialize: impl Fn(I) -> Result<HttpRequest, BoxError> + Send + Sync + 'static,
        deserialize: impl Fn(&HttpResponse) -> Result<O, OrchestratorError<ErrorMetadata>> + Send + Sync + 'static,
        action: impl Fn() -> String,
    ) -> Result<O, CloudError>
    where
        I: std::fmt::Debug + Send + Sync + 'static,
        O: std::fmt::Debug + Send + Sync + 'static,
    {
        let (dual_stack, fips) = (self.config.use_dual_stack(), self.config.use_fips());
        let own = call.api.endpoint(&self.region, dual_stack == Some(true), fips == Some(true));
        let address = self.endpoints.beside(call.api)?.unwrap_or(&own.address);
        let provider = self
            .config
            .credentials_provider()
            .ok_or_else(|| CloudError::new(action(), Reason::Credentials, "no credentials to sign with"))?;
        let timeouts = call.timeouts.or_else(|| self.config.timeout_config().cloned());
        let mut operation = Operation::builder()
            .service_name(call.api.id)
            .operation_name(call.operation)
            .endpoint_url(address)
            .standard_retry(self.config.retry_config().unwrap_or(&RetryConfig::standard()))
            .timeout_config(timeouts.unwrap_or_else(TimeoutConfig::disabled))
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
            .retry_classifier(ServiceClockSkewClassifier::<ErrorMetadata>::new())
            .interceptor(ServiceClockSkewInterceptor::new())
            .with_connection_poisoning()
            .retry_classifier(WaitsForTurns)
            .interceptor(self.rates.clone())
            .runtime_plugin(signing(call.api.name, call.signing, own.region, provider))
            .serializer(serialize)
            .deserializer(deserialize);
        if let Some(version) = self.config.behavior_version() {
            operation = operation.behavior_version(version);
        }
        if let Some(client) = self.config.http_client() {
            operation = operation.http_client(client);
        }
        operation.build().invoke(call.input).await.doing(action)
    }
}

fn signing(
    name: &'static str,
    options: SigningOptions,
    region: String,
    provider: SharedCredentialsProvider,
) -> StaticRuntimePlugin {
    let mut config = Layer::new("signing");
    config.store_put(AuthSchemeOptionResolverParams::new(()));
    config.store_put(SigV4OperationSigningConfig { signing_options: options, ..Default::default() });
    config.store_put(SigningName::from_static(name));
    config.store_put(SigningRegion::from(Region::new(region)));
    config.store_put(turn::partition());
    // The SDK leaves sensitive output out of its own tracing.
    config.store_put(SensitiveOutput);
    let components = RuntimeComponentsBuilder::new("signing")
        .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])))
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(provider));
    StaticRuntimePlugin::new().with_config(config.freeze()).with_runtime_components(components)
}

fn request(target: &str, body: &Secret) -> Result<HttpRequest, BoxError> {
    let request = http::Request::post("/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .header("user-agent", concat!("lamstream/", env!("CARGO_PKG_VERSION")))
        .header("content-length", body.reveal().len())
        .body(SdkBody::from(body.reveal()))?;
    Ok(request.try_into()?)
}

/// Returns the body as a `Secret`: it may contain secrets, and the SDK shows this value to a subscriber of its tracing.
fn answer(response: &HttpResponse) -> Result<Secret, OrchestratorError<ErrorMetadata>> {
    let text = response.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
    if response.status().is_success() {
        return Ok(Secret::new(text));
    }
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    let said = |names: &[&str]| names.iter().find_map(|name| document[*name].as_str());
    let header = response.headers().get("x-amzn-errortype");
    let code = header.or_else(|| said(&["__type", "code"])).unwrap_or(NO_CODE);
    let code = code.split(':').next().and_then(|code| code.rsplit('#').next()).unwrap_or(code);
    let error = ErrorMetadata::builder().code(code).message(said(&["message", "Message"]).unwrap_or_default());
    Err(OrchestratorError::operation(apply_request_id(error, response.headers()).build()))
}
