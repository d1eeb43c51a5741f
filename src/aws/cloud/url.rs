//! Function URLs, always on the alias `live`.

use crate::apply::{CloudError, Observed, Outputs, Reason};
use crate::aws::access::Account;
use crate::aws::error::{Doing, may_exist};
use crate::aws::place::Place;
use crate::plan::{Diff, ResourceKind};
use crate::stack::{self, Auth, FunctionUrl, InvokeMode, Names};
use aws_sdk_lambda::types::{self as sdk, Cors, FunctionUrlAuthType, FunctionUrlConfig};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

impl Account {
    /// The configuration and the address of a function's URL. `function_name` is the function's name on AWS.
    ///
    /// # Errors
    /// If the call fails; `UrlTaken` if the local cloud reports that another program answers at the address.
    pub async fn url(&self, function_name: &str) -> Result<Option<(FunctionUrl, String)>, CloudError> {
        read(self, function_name, false).await
    }
}

/// A URL of a function, on whatever alias.
pub struct DeployedUrl {
    /// `None` is `$LATEST`.
    pub alias: Option<String>,
    pub url: FunctionUrl,
    pub address: String,
}

/// All URLs of a function, on whatever alias. A region without Function URLs has none.
///
/// # Errors
/// If the call fails.
pub(in crate::aws) async fn all(account: &Account, name: &str) -> Result<Vec<DeployedUrl>, CloudError> {
    let mut pages = account.lambda.list_function_url_configs().function_name(name).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        match page.doing(|| format!("read the URLs of function `{name}`")) {
            Ok(page) => found.extend(page.function_url_configs.iter().map(deployed)),
            Err(error) if error.reason == Reason::NotInRegion => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn deployed(found: &FunctionUrlConfig) -> DeployedUrl {
    // arn:aws:lambda:REGION:ACCOUNT:function:NAME[:ALIAS]
    let alias = found.function_arn().split(':').nth(7).map(str::to_owned);
    let url = observed(found.auth_type(), found.invoke_mode(), found.cors());
    DeployedUrl { alias, url, address: with_slash(found.function_url()) }
}

fn observed(auth: &FunctionUrlAuthType, mode: Option<&sdk::InvokeMode>, cors: Option<&Cors>) -> FunctionUrl {
    FunctionUrl {
        auth: if *auth == FunctionUrlAuthType::None { Auth::None } else { Auth::AwsIam },
        mode: match mode {
            Some(sdk::InvokeMode::ResponseStream) => InvokeMode::ResponseStream,
            _ => InvokeMode::Buffered,
        },
        cors: cors.map(observed_cors).filter(|cors| *cors != stack::Cors::default()),
    }
}

/// What a place has of URLs.
#[derive(Clone)]
pub(super) enum Urls {
    /// The region has no Function URLs.
    Unsupported,
    Missing,
    Found(FunctionUrl, String),
}

/// Like [`Account::url`], but a URL that is to be deleted may be down.
pub(super) async fn observe(place: &Place<'_>) -> Result<Urls, CloudError> {
    match read(place.account, &place.names.function_name(), place.to_delete).await {
        Ok(Some((url, address))) => Ok(Urls::Found(url, address)),
        Ok(None) => Ok(Urls::Missing),
        Err(error) if error.reason == Reason::NotInRegion => Ok(Urls::Unsupported),
        Err(error) => Err(error),
    }
}

pub(super) fn put(urls: Urls, observed: &mut Observed) {
    observed.has_urls = !matches!(urls, Urls::Unsupported);
    if let Urls::Found(url, address) = urls {
        observed.stack.url = Some(url);
        observed.outputs = std::mem::take(&mut observed.outputs).updated_by(assigned(address));
    }
}

/// The address as an output.
fn assigned(address: String) -> Outputs {
    Outputs { assigned: BTreeMap::from([(ResourceKind::Url, address)]), ..Outputs::default() }
}

async fn read(account: &Account, name: &str, may_be_down: bool) -> Result<Option<(FunctionUrl, String)>, CloudError> {
    let call = account.lambda.get_function_url_config().function_name(name).qualifier(Names::ALIAS);
    let aside = LocalCloudNote::default();
    let found = call.customize().interceptor(aside.clone()).send().await;
    let Some(found) = found.if_found(|| format!("read the URL of function `{name}`"))? else { return Ok(None) };
    if let Some(why) = aside.said().filter(|_| !may_be_down) {
        return Err(CloudError::new(format!("use the URL of function `{name}`"), Reason::UrlTaken, why));
    }
    let url = observed(found.auth_type(), found.invoke_mode(), found.cors());
    Ok(Some((url, with_slash(found.function_url()))))
}

/// The note that the local cloud adds to a URL's configuration, in a member that the SDK does not know.
#[derive(Clone, Debug, Default)]
struct LocalCloudNote(Arc<Mutex<Option<String>>>);

impl LocalCloudNote {
    fn said(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Intercept for LocalCloudNote {
    fn name(&self) -> &'static str {
        "what the local cloud says of a URL"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Before deserialization, the body is a stream that has not been read.
        let body = context.response().body().bytes().unwrap_or_default();
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body["LocalCloud"].as_str().map(str::to_owned);
        Ok(())
    }
}

pub(super) async fn carry_out(place: &Place<'_>, diff: &Diff<FunctionUrl>) -> Result<Outputs, CloudError> {
    match diff {
        Diff::Create(url) => match create(place, url).await {
            // The URL exists already: a call whose reply was lost created it, or another process has just done so.
            Err(error) if may_exist(&error) => match observe(place).await? {
                Urls::Found(found, address) if found == *url => Ok(assigned(address)),
                Urls::Found(..) => update(place, url).await,
                // AWS does not show it yet.
                Urls::Missing => Err(CloudError { reason: Reason::Busy, ..error }),
                Urls::Unsupported => Err(error),
            },
            other => other,
        },
        Diff::Update { to, .. } => update(place, to).await,
        Diff::Delete(_) => {
            let name = place.names.function_name();
            let call = place.account.lambda.delete_function_url_config().function_name(&name).qualifier(Names::ALIAS);
            call.send().await.if_found(|| format!("delete the URL of function `{name}`"))?;
            Ok(Outputs::default())
        }
    }
}

async fn create(place: &Place<'_>, url: &FunctionUrl) -> Result<Outputs, CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.create_function_url_config().function_name(&name).qualifier(Names::ALIAS);
    let call = call.auth_type(auth(url)).invoke_mode(mode(url)).set_cors(url.cors.as_ref().map(cors));
    let made = call.send().await.doing(|| format!("create the URL of function `{name}`"))?;
    Ok(assigned(with_slash(made.function_url())))
}

/// Updates the URL in place, because the address of a deleted URL can never be recovered.
async fn update(place: &Place<'_>, url: &FunctionUrl) -> Result<Outputs, CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.update_function_url_config().function_name(&name).qualifier(Names::ALIAS);
    // An update keeps the settings that it leaves out, so it must include CORS even if there is none.
    let call = call.auth_type(auth(url)).invoke_mode(mode(url)).cors(cors(&url.cors.clone().unwrap_or_default()));
    let updated = call.send().await.doing(|| format!("update the URL of function `{name}`"))?;
    Ok(assigned(with_slash(updated.function_url())))
}

fn auth(url: &FunctionUrl) -> FunctionUrlAuthType {
    match url.auth {
        Auth::None => FunctionUrlAuthType::None,
        Auth::AwsIam => FunctionUrlAuthType::AwsIam,
    }
}

fn mode(url: &FunctionUrl) -> sdk::InvokeMode {
    match url.mode {
        InvokeMode::ResponseStream => sdk::InvokeMode::ResponseStream,
        InvokeMode::Buffered => sdk::InvokeMode::Buffered,
    }
}

fn cors(cors: &stack::Cors) -> Cors {
    let list = |set: &BTreeSet<String>| Some(set.iter().cloned().collect());
    Cors::builder()
        .allow_credentials(cors.allow_credentials)
        .set_allow_headers(list(&cors.allow_headers))
        .set_allow_methods(list(&cors.allow_methods))
        .set_allow_origins(list(&cors.allow_origins))
        .set_expose_headers(list(&cors.expose_headers))
        .set_max_age(cors.max_age.map(|seconds| seconds as i32))
        .build()
}

fn observed_cors(cors: &Cors) -> stack::Cors {
    let set = |list: &[String]| list.iter().cloned().collect();
    stack::Cors {
        allow_credentials: cors.allow_credentials().unwrap_or_default(),
        allow_headers: set(cors.allow_headers()),
        allow_methods: set(cors.allow_methods()),
        allow_origins: set(cors.allow_origins()),
        expose_headers: set(cors.expose_headers()),
        max_age: cors.max_age().and_then(|seconds| u32::try_from(seconds).ok()),
    }
    .normalised()
}

fn with_slash(url: &str) -> String {
    if url.ends_with('/') { url.to_owned() } else { format!("{url}/") }
}
