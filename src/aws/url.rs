//! Function URLs, always on the alias `live`.

use super::error::Doing;
use super::place::Place;
use crate::apply::{CloudError, Outputs};
use crate::plan::Diff;
use crate::stack::{self, Auth, FunctionUrl, InvokeMode, Names};
use aws_sdk_lambda::types::{self as sdk, Cors, FunctionUrlAuthType};

/// The configuration and the address.
///
/// # Errors
/// Those of the call. The local cloud's `UrlPortTaken` among them: then another program answers at the address.
pub(super) async fn observe(place: &Place<'_>) -> Result<Option<(FunctionUrl, String)>, CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.get_function_url_config().function_name(&name).qualifier(Names::ALIAS);
    let found = call.send().await.if_found(|| format!("read the url of function `{name}`"))?;
    Ok(found.map(|found| {
        (observed(found.auth_type(), found.invoke_mode(), found.cors()), with_slash(found.function_url()))
    }))
}

/// The same of a URL that may be down, by a call that does not mind.
pub(super) async fn observe_to_delete(place: &Place<'_>) -> Result<Option<(FunctionUrl, String)>, CloudError> {
    match observe(place).await {
        Err(error) if error.is("UrlPortTaken") => {}
        other => return other,
    }
    let name = place.names.function_name();
    let call = place.account.lambda.list_function_url_configs().function_name(&name);
    let found = call.send().await.if_found(|| format!("read the urls of function `{name}`"))?;
    let all = found.map(|found| found.function_url_configs).unwrap_or_default();
    let live = all.into_iter().find(|url| url.function_arn().ends_with(&format!(":{}", Names::ALIAS)));
    Ok(live.map(|url| (observed(url.auth_type(), url.invoke_mode(), url.cors()), with_slash(url.function_url()))))
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

pub(super) async fn carry_out(place: &Place<'_>, diff: &Diff<FunctionUrl>) -> Result<Outputs, CloudError> {
    match diff {
        Diff::Create(url) => match create(place, url).await {
            // It is there already: by a call whose reply was lost, or by somebody else a moment ago.
            Err(error) if error.is("ResourceConflictException") => match observe(place).await? {
                Some((found, address)) if found == *url => Ok(Outputs { url: Some(address), ..Outputs::default() }),
                Some(_) => update(place, url).await,
                None => Err(error),
            },
            other => other,
        },
        Diff::Update { to, .. } => update(place, to).await,
        Diff::Delete(_) => {
            let name = place.names.function_name();
            let call = place.account.lambda.delete_function_url_config().function_name(&name).qualifier(Names::ALIAS);
            call.send().await.if_found(|| format!("delete the url of function `{name}`"))?;
            Ok(Outputs::default())
        }
    }
}

async fn create(place: &Place<'_>, url: &FunctionUrl) -> Result<Outputs, CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.create_function_url_config().function_name(&name).qualifier(Names::ALIAS);
    let call = call.auth_type(auth(url)).invoke_mode(mode(url)).set_cors(url.cors.as_ref().map(cors));
    let made = call.send().await.doing(|| format!("create the url of function `{name}`"))?;
    Ok(Outputs { url: Some(with_slash(made.function_url())), ..Outputs::default() })
}

/// In place: the address of a deleted URL can never be had back.
async fn update(place: &Place<'_>, url: &FunctionUrl) -> Result<Outputs, CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.update_function_url_config().function_name(&name).qualifier(Names::ALIAS);
    // What an update leaves out stays as it is, so that no CORS at all has to be said too.
    let call = call.auth_type(auth(url)).invoke_mode(mode(url)).cors(cors(&url.cors.clone().unwrap_or_default()));
    let updated = call.send().await.doing(|| format!("update the url of function `{name}`"))?;
    Ok(Outputs { url: Some(with_slash(updated.function_url())), ..Outputs::default() })
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
    let list = |set: &std::collections::BTreeSet<String>| Some(set.iter().cloned().collect());
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
