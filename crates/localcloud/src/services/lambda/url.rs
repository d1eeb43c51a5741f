//! Function URLs' settings.

use std::net::TcpListener;

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, page};
use super::name::{Name, is_visible};
use crate::clock::{self, millis};
use crate::random;
use crate::services::call::Call;
use crate::services::paging::member;
use crate::url::UrlListener;
use crate::wire::error::Fault;
use crate::world::World;
use crate::world::function::Function;
use crate::world::url::{Cors, Url};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    auth_type: Option<String>,
    invoke_mode: Option<String>,
    cors: Option<Cors>,
}

impl Input {
    fn check(&self) -> Result<(), Fault> {
        let one_of = |value: &Option<String>, member: &'static str, known: [&str; 2]| match value {
            Some(value) if !known.contains(&value.as_str()) => {
                let constraint = format!("Member must satisfy enum value set: [{}]", known.join(", "));
                Err(Fault::validation(value, member, &constraint))
            }
            _ => Ok(()),
        };
        one_of(&self.auth_type, "authType", ["NONE", "AWS_IAM"])?;
        one_of(&self.invoke_mode, "invokeMode", ["RESPONSE_STREAM", "BUFFERED"])?;
        let methods = self.cors.as_ref().and_then(|cors| cors.allow_methods.as_deref()).unwrap_or_default();
        if let Some(long) = methods.iter().find(|method| method.len() > 6) {
            let constraint = "Member must satisfy constraint: [Member must have length less than or equal to 6]";
            return Err(Fault::validation(long, "cors.allowMethods", constraint));
        }
        if methods.len() > 6 {
            let constraint = "Member must have length less than or equal to 6";
            return Err(Fault::validation(&methods.join(", "), "cors.allowMethods", constraint));
        }
        match self.cors.as_ref().and_then(|cors| cors.max_age) {
            Some(age) if age > 86_400 => Err(Fault::validation(
                &age.to_string(),
                "cors.maxAge",
                "Member must have value less than or equal to 86400",
            )),
            _ => Ok(()),
        }
    }
}

/// The regions in which AWS has no Function URLs, except China's. The list changes.
const WITHOUT_URLS: [&str; 11] = [
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
];

/// Refuses calls in regions without Function URLs: AWS does not know the operations there.
pub(super) fn expect_region(call: &Call) -> Result<(), Fault> {
    let region = call.region.as_str();
    if call.options().url_regions && (WITHOUT_URLS.contains(&region) || region.starts_with("cn-")) {
        let message = "Unable to determine service/operation name to be authorized";
        return Err(Fault::new(403, "AccessDeniedException", message));
    }
    Ok(())
}

/// The error for a URL, or its function, that does not exist.
fn missing() -> Fault {
    Fault::not_found("The resource you requested does not exist.")
}

/// The error for a function or alias that does not exist, and so cannot have a URL.
fn nowhere() -> Fault {
    Fault::not_found("Function does not exist")
}

/// The function of a URL; if the name has an alias, the alias must exist.
fn target<'a>(call: &Call, world: &'a mut World, name: &Name) -> Result<&'a mut Function, Fault> {
    let function = world.region(&call.region).functions.get_mut(&name.function);
    let function = function.filter(|function| is_visible(call, function));
    let there = |function: &&mut Function| name.qualifier.is_empty() || function.found_alias(&name.qualifier).is_some();
    function.filter(there).ok_or_else(nowhere)
}

/// Whether a URL's configuration is found already. The URL itself answers from the beginning.
fn is_old_enough(call: &Call, url: &Url) -> bool {
    clock::now() >= url.created + millis(call.options().visibility_lag)
}

/// A port below those that the kernel uses for outgoing connections: otherwise such a connection could take the port
/// while the cloud is down.
fn free_port() -> std::io::Result<TcpListener> {
    let tried = (0..100).find_map(|_| TcpListener::bind(("127.0.0.1", random::number(10_000..32_000))).ok());
    tried.map_or_else(|| TcpListener::bind(("127.0.0.1", 0)), Ok)
}

pub(super) fn create(call: &Call, name: &Name) -> Answer {
    let input: Input = call.input()?;
    input.check()?;
    let auth = input.auth_type.ok_or_else(|| Fault::absent("authType"))?;
    // The port is opened before the URL exists, so that its address works from the beginning.
    let socket = free_port().map_err(Fault::internal)?;
    let port = socket.local_addr().map_err(Fault::internal)?.port();
    let (id, shown) = call.change(|world| {
        let function = target(call, world, name)?;
        let arn = function.arn(&name.qualifier);
        if function.urls.contains_key(&name.qualifier) {
            return Err(Fault::conflict(format!("Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists for this Lambda function")));
        }
        let now = clock::now();
        let url = Url {
            id: random::token(),
            port,
            auth,
            mode: input.invoke_mode,
            cors: input.cors,
            created: now,
            modified: now,
        };
        let mut shown = url.describe(&arn);
        if let Value::Object(members) = &mut shown {
            members.remove("LastModifiedTime");
        }
        let id = url.id.clone();
        function.urls.insert(name.qualifier.clone(), url);
        Ok((id, shown))
    })?;
    let (function, qualifier) = (name.function.clone(), name.qualifier.clone());
    let listener = UrlListener { region: call.region.clone(), function, qualifier, id };
    if let Err(error) = call.cloud.urls.open(listener, socket) {
        // Without a listener, there must be no URL.
        delete(call, name)?;
        return Err(Fault::internal(error));
    }
    Ok((201, shown))
}

/// If another program has the port, the response says so in the member `LocalCloud`, which AWS does not have.
pub(super) fn get(call: &Call, name: &Name) -> Answer {
    let (id, mut shown) = call.read(|world| {
        let function = name.find(call, world).map_err(|_| missing())?;
        let url = function.urls.get(&name.qualifier).filter(|url| is_old_enough(call, url)).ok_or_else(missing)?;
        Ok((url.id.clone(), url.whole(&function.arn(&name.qualifier))))
    })?;
    if let Err(why) = call.cloud.urls.reopen(&id) {
        shown["LocalCloud"] = json!(format!("the URL is down: {why}"));
    }
    Ok((200, shown))
}

pub(super) fn update(call: &Call, name: &Name) -> Answer {
    let input: Input = call.input()?;
    input.check()?;
    call.change(|world| {
        let function = target(call, world, name)?;
        let arn = function.arn(&name.qualifier);
        let url = function.urls.get_mut(&name.qualifier).filter(|url| is_old_enough(call, url)).ok_or_else(missing)?;
        if let Some(auth) = input.auth_type {
            url.auth = auth;
        }
        // Members that are absent stay as they are, the mode, too.
        url.mode = input.invoke_mode.or(url.mode.take());
        if let Some(cors) = input.cors {
            url.cors = (cors != Cors::default()).then_some(cors);
        }
        url.modified = clock::now();
        Ok((200, url.describe(&arn)))
    })
}

/// The URL of an alias that was deleted can be deleted, too.
pub(super) fn delete(call: &Call, name: &Name) -> Answer {
    call.change(|world| {
        let function = world.region(&call.region).functions.get_mut(&name.function);
        let removed = function.and_then(|function| function.urls.remove(&name.qualifier));
        removed.map(|_| (204, Value::Null)).ok_or_else(missing)
    })
}

pub(super) fn list(call: &Call, name: &Name) -> Answer {
    let urls = call.read(|world| {
        let function = name.find(call, world).map_err(|_| nowhere())?;
        Ok(function.urls.iter().map(|(qualifier, url)| json!(url.whole(&function.arn(qualifier)))).collect())
    })?;
    page(call, "FunctionUrlConfigs", urls, member("FunctionArn"))
}
