//! Lambda's control plane and its invocations, a noun a file.

mod alias;
mod code;
mod concurrency;
mod function;
mod invoke;
mod layer;
mod permission;
mod provisioned;
mod rate;
mod settings;
mod tags;
mod url;
mod version;

use http::{Method, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::route::{Call, blocking, json, unknown};
use crate::wire::error::{Body, Fault, full};
use crate::world::World;
use crate::world::function::{Function, LATEST};

pub(crate) use rate::Rates;

/// What a handler gives back: a status, and a body unless there is none.
type Answer = Result<(u16, Value), Fault>;

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
            call.cloud.rates.admit(is_get_function)?;
            let segments: Vec<String> = segments.into_iter().map(str::to_owned).collect();
            blocking(move || {
                let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
                let (status, value) = control(&call, &segments)?;
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                if value.is_null() {
                    let mut answer = Response::new(full(""));
                    *answer.status_mut() = status;
                    return Ok(answer);
                }
                Ok(json(status, &value))
            })
            .await
        }
    }
}

/// The control plane, by method and path as the model has them.
fn control(call: &Call, segments: &[&str]) -> Answer {
    match (&call.parts.method, segments) {
        (&Method::GET, ["2016-08-19", "account-settings"]) => settings::account(call),
        (&Method::POST, ["2015-03-31", "functions"]) => function::create(call),
        (&Method::GET, ["2015-03-31", "functions"]) => function::list(call),
        (method, ["2018-10-31", "layers", rest @ ..]) => layer::answer(call, method, rest),
        (method, [_, "tags", arn]) => tags::answer(call, method, arn),
        (method, [_, "functions", name, rest @ ..]) => {
            let name = Name::read(call, name)?;
            on_function(call, method, &name, rest)
        }
        _ => Err(unheard_of(call)),
    }
}

fn on_function(call: &Call, method: &Method, name: &Name, rest: &[&str]) -> Answer {
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
        ("PUT", ["concurrency"]) => concurrency::put(call, name),
        ("GET", ["concurrency"]) => concurrency::get(call, name),
        ("PUT", ["provisioned-concurrency"]) => provisioned::put(call, name),
        ("GET", ["provisioned-concurrency"]) => provisioned::get(call, name),
        ("DELETE", ["provisioned-concurrency"]) => provisioned::delete(call, name),
        ("DELETE", ["concurrency"]) => concurrency::delete(call, name),
        _ => Err(unheard_of(call)),
    }
}

fn unheard_of(call: &Call) -> Fault {
    unknown("UnknownOperationException", &format!("lambda: {} {}", call.parts.method, call.parts.uri.path()))
}

/// A function's name as clients write it: bare, partial ARN or whole, with a qualifier or without.
struct Name {
    function: String,
    qualifier: Option<String>,
}

impl Name {
    /// One of another region or account is not here.
    fn read(call: &Call, text: &str) -> Result<Self, Fault> {
        let parts: Vec<&str> = text.split(':').collect();
        let (place, rest) = match parts.as_slice() {
            ["arn", partition, "lambda", region, account, "function", rest @ ..] if partition.starts_with("aws") => {
                (Some((*region, *account)), rest)
            }
            [account, "function", rest @ ..] if account.bytes().all(|byte| byte.is_ascii_digit()) => {
                (Some((call.region.as_str(), *account)), rest)
            }
            ["function", rest @ ..] if !rest.is_empty() => (None, rest),
            rest => (None, rest),
        };
        let (function, qualifier) = match rest {
            [function] => (*function, None),
            [function, qualifier] if is_qualifier(qualifier) => (*function, Some((*qualifier).to_owned())),
            _ => ("", None),
        };
        let is_account = |account: &str| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_place = place.is_none_or(|(region, account)| !region.is_empty() && is_account(account));
        if !is_name(function, 64) || !is_place {
            let pattern = "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";
            let constraint = format!("Member must satisfy regular expression pattern: {pattern}");
            return Err(Fault::validation(text, "functionName", &constraint));
        }
        match place {
            Some((region, _)) if region != call.region => Err(Fault::not_found(format!(
                "Functions from '{region}' are not reachable in this region ('{}')",
                call.region
            ))),
            Some((_, account)) if account != crate::ACCOUNT => Err(Fault::new(
                403,
                "AccessDeniedException",
                format!("User: {} is not authorized to perform this action on resource: {text}", call.caller.arn),
            )),
            _ => Ok(Self { function: function.to_owned(), qualifier }),
        }
    }

    /// The qualifier, in the name or in the query; empty when there is none.
    fn qualifier(&self, call: &Call) -> Result<String, Fault> {
        let asked = call.query("Qualifier").filter(|qualifier| !qualifier.is_empty());
        match (&self.qualifier, asked) {
            (Some(inside), Some(asked)) if *inside != asked => Err(Fault::parameter(
                "The derived qualifier from the function name does not match the specified qualifier.",
            )),
            (inside, asked) => Ok(inside.clone().or(asked).unwrap_or_default()),
        }
    }

    fn missing(&self, call: &Call) -> Fault {
        let arn = crate::world::function::arn(&call.region, &self.function, "");
        Fault::not_found(format!("Function not found: {arn}"))
    }

    /// The function in the world.
    fn find<'a>(&self, call: &Call, world: &'a World) -> Result<&'a Function, Fault> {
        let region = world.regions.get(&call.region);
        region.and_then(|region| region.functions.get(&self.function)).ok_or_else(|| self.missing(call))
    }

    /// Looks at the function.
    fn look<T>(&self, call: &Call, look: impl FnOnce(&Function) -> Result<T, Fault>) -> Result<T, Fault> {
        call.cloud.read(|world| look(self.find(call, world)?))
    }

    /// Changes the function.
    fn change<T>(&self, call: &Call, change: impl FnOnce(&mut Function) -> Result<T, Fault>) -> Result<T, Fault> {
        call.cloud.change(|world| {
            let function = world.region(&call.region).functions.get_mut(&self.function);
            change(function.ok_or_else(|| self.missing(call))?)
        })
    }
}

fn is_qualifier(word: &str) -> bool {
    word == LATEST || is_name(word, 128)
}

/// Whether a word has only letters that Lambda's names take.
fn is_name(word: &str, longest: usize) -> bool {
    (1..=longest).contains(&word.len()) && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// What versions are listed by; `$LATEST` comes first.
fn by_version(item: &Value) -> String {
    format!("{:0>20}", item["Version"].as_str().unwrap_or_default())
}

/// The page of a list that a query asks for, under `name`.
fn page(call: &Call, name: &str, items: Vec<Value>, key: impl Fn(&Value) -> String) -> Answer {
    let most = match call.query("MaxItems") {
        None => 50,
        Some(text) => text
            .parse()
            .ok()
            .filter(|most| (1..=10_000).contains(most))
            .ok_or_else(|| Fault::validation(&text, "maxItems", "Member must have value between 1 and 10000"))?,
    };
    let (items, next) = crate::route::page(items, key, call.query("Marker").as_deref(), most.min(50))
        .ok_or_else(|| Fault::parameter("Invalid marker"))?;
    let mut answer = serde_json::json!({ name: items });
    if let Some(next) = next {
        answer["NextMarker"] = next.into();
    }
    Ok((200, answer))
}

/// A qualifier that may carry a policy: nothing, an alias, or a version's number.
fn policy_qualifier(function: &Function, qualifier: &str) -> Result<(), Fault> {
    if qualifier == LATEST {
        return Err(Fault::parameter("We currently do not support adding policies for $LATEST."));
    }
    function.resolve(qualifier).map(|_| ())
}
