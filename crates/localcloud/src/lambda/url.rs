//! Function URLs' settings.

use std::net::TcpListener;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Name, page};
use crate::route::{Call, member};
use crate::url::Door;
use crate::wire::date;
use crate::wire::error::Fault;
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
        let one_of = |value: &Option<String>, member: &str, known: [&str; 2]| match value {
            Some(value) if !known.contains(&value.as_str()) => {
                let constraint = format!("Member must satisfy enum value set: [{}]", known.join(", "));
                Err(Fault::validation(value, member, &constraint))
            }
            _ => Ok(()),
        };
        one_of(&self.auth_type, "authType", ["NONE", "AWS_IAM"])?;
        one_of(&self.invoke_mode, "invokeMode", ["BUFFERED", "RESPONSE_STREAM"])?;
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

/// A URL sits on the function or on an alias, never on a version.
fn qualifier(call: &Call, name: &Name) -> Result<String, Fault> {
    let qualifier = name.qualifier(call)?;
    if qualifier.starts_with('$') || (!qualifier.is_empty() && qualifier.bytes().all(|byte| byte.is_ascii_digit())) {
        let constraint =
            "Member must satisfy regular expression pattern: (^\\$LATEST\\.PUBLISHED$)|((?!^\\d+$)^[0-9a-zA-Z-_]+$)";
        return Err(Fault::validation(&qualifier, "qualifier", constraint));
    }
    Ok(qualifier)
}

fn missing(function: &Function, qualifier: &str) -> Fault {
    Fault::not_found(format!("The resource you requested does not exist: {}", function.arn(qualifier)))
}

/// A port below those that the kernel gives to outgoing connections: one of them would take a URL's address while the
/// cloud is down.
fn free_port() -> std::io::Result<TcpListener> {
    let tried = (0..100).find_map(|_| TcpListener::bind(("127.0.0.1", rand::random_range(10_000..32_000))).ok());
    tried.map_or_else(|| TcpListener::bind(("127.0.0.1", 0)), Ok)
}

pub(super) fn create(call: &Call, name: &Name) -> Answer {
    let input: Input = call.input()?;
    input.check()?;
    let qualifier = qualifier(call, name)?;
    let auth = input.auth_type.ok_or_else(|| Fault::validation("null", "authType", "Member must not be null"))?;
    // The port is taken before the URL exists, so that its address is never a promise.
    let listener = free_port().map_err(Fault::internal)?;
    let port = listener.local_addr().map_err(Fault::internal)?.port();
    let (id, shown) = name.change(call, |function| {
        if !qualifier.is_empty() && !function.aliases.contains_key(&qualifier) {
            return Err(function.missing(&qualifier));
        }
        let arn = function.arn(&qualifier);
        if function.urls.contains_key(&qualifier) {
            return Err(Fault::conflict(format!("Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists for this Lambda function")));
        }
        let now = date::now();
        let url = Url {
            id: uuid::Uuid::new_v4().simple().to_string(),
            port,
            auth,
            mode: input.invoke_mode.unwrap_or_else(|| "BUFFERED".into()),
            cors: input.cors,
            created: now,
            modified: now,
        };
        let mut shown = url.describe(&arn);
        if let Value::Object(members) = &mut shown {
            members.remove("LastModifiedTime");
        }
        let id = url.id.clone();
        function.urls.insert(qualifier.clone(), url);
        Ok((id, shown))
    })?;
    let door = Door { region: call.region.clone(), function: name.function.clone(), qualifier, id };
    crate::url::open(&call.cloud, door, listener).map_err(Fault::internal)?;
    Ok((201, shown))
}

pub(super) fn get(call: &Call, name: &Name) -> Answer {
    let qualifier = qualifier(call, name)?;
    name.look(call, |function| {
        let url = function.urls.get(&qualifier).ok_or_else(|| missing(function, &qualifier))?;
        Ok((200, url.describe(&function.arn(&qualifier))))
    })
}

pub(super) fn update(call: &Call, name: &Name) -> Answer {
    let input: Input = call.input()?;
    input.check()?;
    let qualifier = qualifier(call, name)?;
    name.change(call, |function| {
        let missing = missing(function, &qualifier);
        let arn = function.arn(&qualifier);
        let url = function.urls.get_mut(&qualifier).ok_or(missing)?;
        if let Some(auth) = input.auth_type {
            url.auth = auth;
        }
        // What an update does not name stays, the mode too.
        if let Some(mode) = input.invoke_mode {
            url.mode = mode;
        }
        if let Some(cors) = input.cors {
            url.cors = (cors != Cors::default()).then_some(cors);
        }
        url.modified = date::now();
        Ok((200, url.describe(&arn)))
    })
}

pub(super) fn delete(call: &Call, name: &Name) -> Answer {
    let qualifier = qualifier(call, name)?;
    name.change(call, |function| {
        let missing = missing(function, &qualifier);
        function.urls.remove(&qualifier).map(|_| (204, Value::Null)).ok_or(missing)
    })
}

pub(super) fn list(call: &Call, name: &Name) -> Answer {
    let urls = name.look(call, |function| {
        Ok(function.urls.iter().map(|(qualifier, url)| json!(url.describe(&function.arn(qualifier)))).collect())
    })?;
    page(call, "FunctionUrlConfigs", urls, member("FunctionArn"))
}
