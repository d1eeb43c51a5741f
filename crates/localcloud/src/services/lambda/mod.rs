//! Lambda: its control plane, one file per noun, and its invocations.

mod alias;
mod answer;
mod check;
mod code;
mod concurrency;
mod credentials;
mod function;
mod invoke;
mod layer;
mod management;
mod name;
mod permission;
mod provisioned;
mod runtimes;
mod settings;
mod tags;
mod url;
mod version;

use http::{Method, Response, StatusCode};
use percent_encoding::percent_decode_str;

use answer::{Answer, unknown_path};
use name::Name;

use crate::services::call::Call;
use crate::services::response::{blocking, empty, json};
use crate::wire::error::{Body, Fault};

/// Answers a request.
pub(crate) async fn answer(call: Call) -> Result<Response<Body>, Fault> {
    let path = call.parts.uri.path().to_owned();
    let segments: Vec<String> = path
        .trim_matches('/')
        .split('/')
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (call.parts.method.as_str(), segments.as_slice()) {
        ("POST", ["2015-03-31", "functions", name, "invocations"]) => invoke::invoke(&call, name).await,
        ("POST", ["2021-11-15", "functions", name, "response-streaming-invocations"]) => {
            invoke::stream(&call, name).await
        }
        _ => {
            let is_get_function = call.parts.method == Method::GET && matches!(segments[..], [_, "functions", _]);
            call.cloud.rate.lambda(&call.region, is_get_function)?;
            let segments: Vec<String> = segments.into_iter().map(str::to_owned).collect();
            blocking(move || {
                let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
                let (status, value) = control(&call, &segments)?;
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                Ok(if value.is_null() { empty(status) } else { json(status, &value) })
            })
            .await
        }
    }
}

/// The control plane, by method and path.
fn control(call: &Call, segments: &[&str]) -> Answer {
    match (&call.parts.method, segments) {
        (&Method::GET, ["2016-08-19", "account-settings"]) => settings::account(call),
        (&Method::POST, ["2015-03-31", "functions"]) => function::create(call),
        (&Method::GET, ["2015-03-31", "functions"]) => function::list(call),
        (method, ["2018-10-31", "layers", rest @ ..]) => layer::answer(call, method, rest),
        (method, [_, "tags", arn]) => tags::answer(call, method, arn),
        (method, [_, "functions", name, rest @ ..]) => {
            let qualifiers = if rest == ["url"] { &name::ALIAS } else { &name::ANY };
            let name = Name::read(call, name, qualifiers)?;
            on_function(call, method, &name, rest)
        }
        _ => Err(unknown_path(call)),
    }
}

fn on_function(call: &Call, method: &Method, name: &Name, rest: &[&str]) -> Answer {
    if matches!(rest, ["url" | "urls"]) {
        url::expect_region(call)?;
    }
    match (method.as_str(), rest) {
        ("GET", []) => function::get(call, name),
        ("DELETE", []) => function::delete(call, name),
        ("GET", ["configuration"]) => function::get_configuration(call, name),
        ("PUT", ["configuration"]) => function::update_configuration(call, name),
        ("PUT", ["code"]) => function::update_code(call, name),
        ("POST", ["versions"]) => version::publish(call, name),
        ("GET", ["versions"]) => version::list(call, name),
        ("POST", ["aliases"]) => alias::create(call, name),
        ("GET", ["aliases"]) => alias::list(call, name),
        ("GET", ["aliases", alias]) => alias::get(call, name, alias),
        ("PUT", ["aliases", alias]) => alias::update(call, name, alias),
        ("DELETE", ["aliases", alias]) => alias::delete(call, name, alias),
        ("POST", ["url"]) => url::create(call, name),
        ("GET", ["url"]) => url::get(call, name),
        ("PUT", ["url"]) => url::update(call, name),
        ("DELETE", ["url"]) => url::delete(call, name),
        ("GET", ["urls"]) => url::list(call, name),
        ("POST", ["policy"]) => permission::add(call, name),
        ("GET", ["policy"]) => permission::get(call, name),
        ("DELETE", ["policy", id]) => permission::remove(call, name, id),
        ("PUT", ["local-credentials"]) => credentials::put(call, name),
        ("DELETE", ["local-credentials"]) => credentials::delete(call, name),
        ("PUT", ["concurrency"]) => concurrency::put(call, name),
        ("GET", ["concurrency"]) => concurrency::get(call, name),
        ("PUT", ["provisioned-concurrency"]) => provisioned::put(call, name),
        ("GET", ["provisioned-concurrency"]) => provisioned::get(call, name),
        ("DELETE", ["provisioned-concurrency"]) => provisioned::delete(call, name),
        ("GET", ["recursion-config"]) => management::recursion(call, name),
        ("PUT", ["recursion-config"]) => management::put_recursion(call, name),
        ("GET", ["runtime-management-config"]) => management::runtime(call, name),
        ("PUT", ["runtime-management-config"]) => management::put_runtime(call, name),
        ("GET", ["event-invoke-config"]) => management::events(call, name),
        ("GET", ["event-invoke-config", "list"]) => management::list_events(call, name),
        ("PUT", ["event-invoke-config"]) => management::put_events(call, name),
        ("DELETE", ["event-invoke-config"]) => management::delete_events(call, name),
        ("DELETE", ["concurrency"]) => concurrency::delete(call, name),
        _ => Err(unknown_path(call)),
    }
}
