//! `Events`: the requests that API Gateway passes on become a URL, everything else is reported.

use crate::globals;
use crate::node::{Content, Node};
use crate::resolve::Resolver;
use crate::template::Template;
use crate::writer::Writer;

/// The two kinds of API: the event's type, the resource's type, the section of `Globals`, what the event calls its API,
/// and the API that SAM adds for events that do not name one.
const APIS: [(&str, &str, &str, &str, &str); 2] = [
    ("HttpApi", "AWS::Serverless::HttpApi", "HttpApi", "ApiId", "ServerlessHttpApi"),
    ("Api", "AWS::Serverless::Api", "Api", "RestApiId", "ServerlessRestApi"),
];

/// An event that passes every request on, which a URL can replace.
pub(super) struct Gateway {
    pub name: String,
    pub event: Node,
    pub auth: Auth,
    /// Whether its events have version 1.0, as those of REST APIs. A URL's have version 2.0.
    pub is_version_1: bool,
    /// The `CorsConfiguration` of its API.
    pub cors: Option<Node>,
    /// What precedes the paths that it passes on, such as `/v1`; mostly empty.
    prefix: String,
}

/// Who may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Auth {
    Everyone,
    Iam,
    /// Something that a URL does not have, such as an authorizer.
    Other(String),
}

/// The properties of each API, with `Globals` merged and everything resolved.
pub(super) struct Apis(Vec<(String, Node)>);

impl Apis {
    pub(super) fn read(resolver: &mut Resolver<'_>) -> Apis {
        let template = resolver.template;
        let nothing = Node::new((1, 1), Content::Map(Vec::new()));
        let mut all = Vec::new();
        for (_, kind, section, _, implicit) in APIS {
            let globals = template.root.at(&["Globals", section]).unwrap_or(&nothing);
            let of_kind = template.section("Resources").iter().filter(|(name, _)| template.type_of(name) == Some(kind));
            for (name, api) in of_kind {
                let own = api.get("Properties").unwrap_or(&nothing);
                all.push((name.clone(), resolver.resolve(&globals::merge(globals, own))));
            }
            all.push((implicit.to_owned(), resolver.resolve(globals)));
        }
        Apis(all)
    }

    fn get(&self, name: &str) -> Option<&Node> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, api)| api)
    }
}

/// Reports the events, except the one that passes every request on. `has_url`: the template gives the function a URL of
/// its own.
pub(super) fn read(writer: &mut Writer<'_>, events: &Node, apis: &Apis, has_url: bool) -> Option<Gateway> {
    let mut gateway: Option<Gateway> = None;
    let mut routes = Vec::new();
    for (name, event) in writer.map(events, "Events").unwrap_or_default() {
        let kind = event.get("Type").and_then(Node::text).unwrap_or_default();
        let Some((_, _, _, api, implicit)) = APIS.iter().find(|(known, ..)| *known == kind) else {
            other(writer, name, event);
            continue;
        };
        let properties = event.get("Properties");
        let named = properties.and_then(|node| node.get(api));
        let api = named.map_or(Some(*implicit), reference).and_then(|name| apis.get(name));
        let auth = auth(properties, api);
        let route = route(kind, properties);
        if let (None, Some(prefix)) = (&gateway, prefix(&route)) {
            let version = properties.and_then(|node| node.get("PayloadFormatVersion")).and_then(Node::text);
            gateway = Some(Gateway {
                name: name.clone(),
                event: event.clone(),
                auth,
                is_version_1: kind == "Api" || version == Some("1.0"),
                cors: api.and_then(|api| api.get("CorsConfiguration")).filter(|cors| cors.is_map()).cloned(),
                prefix: prefix.to_owned(),
            });
        } else {
            routes.push((name, event, kind, route, auth));
        }
    }
    for (name, event, kind, (method, path), auth) in routes {
        let place = format!("Events.{name}");
        match &gateway {
            Some(gateway) if gateway.auth == auth => {
                writer.comment(format!("`Events.{name}`: the URL passes `{method} {path}` on, too."));
            }
            Some(_) => {
                let what =
                    format!("`{method} {path}` has an authorization of its own, but a URL has one for all paths");
                writer.left(event, &place, what, "check the authorization in the app");
            }
            None => {
                let what = format!("the event `{kind}` passes on `{method} {path}`, but a URL passes on every path");
                let advice = match has_url {
                    true => "have its callers use the function's `url`, or keep the API in its own stack",
                    false => "give the function a `url`, or keep the API in its own stack",
                };
                writer.left(event, &place, what, advice);
            }
        }
    }
    gateway
}

/// Says what becomes of the event that the URL replaces.
pub(super) fn explain(writer: &mut Writer<'_>, gateway: &Gateway, has_adapter: bool) {
    let Gateway { name, event, prefix, .. } = gateway;
    let beside = if prefix.is_empty() { String::new() } else { format!(", not only those below `{prefix}`") };
    writer.comment(format!(
        "`Events.{name}`: the URL takes the place of API Gateway. It passes on all paths{beside}, without the name of a \
         stage such as `/Prod`."
    ));
    if gateway.is_version_1 && !has_adapter {
        let what = "API Gateway sends this function events of version 1.0, but a URL sends version 2.0";
        let advice = "check what the handler reads: `rawPath` instead of `path`, for example";
        writer.block(event, &format!("Events.{name}"), what, advice);
    }
}

/// Whether an event of some function passes every request of this API on, so that a URL takes the API's place.
pub(crate) fn pass_everything_on(template: &Template, api: &str) -> bool {
    let events = template.functions().filter_map(|(_, function)| function.at(&["Properties", "Events"]));
    events.flat_map(Node::entries).any(|(_, event)| {
        let kind = event.get("Type").and_then(Node::text).unwrap_or_default();
        let known = APIS.iter().find(|(known, ..)| *known == kind);
        let properties = event.get("Properties");
        let named = known.and_then(|(_, _, _, key, _)| properties?.get(key)?.intrinsic());
        matches!(named, Some(("Ref", name)) if name.text() == Some(api)) && prefix(&route(kind, properties)).is_some()
    })
}

/// The name of a resource to which a value refers.
fn reference(node: &Node) -> Option<&str> {
    node.partial_text().and_then(|(_, unknown)| unknown.first()).map(String::as_str)
}

/// The method and the path, as the template has them.
fn route(kind: &str, properties: Option<&Node>) -> (String, String) {
    let get = |key: &str| properties.and_then(|node| node.get(key));
    let method = match get("Method").map(|node| node.text().unwrap_or("?").to_uppercase()) {
        None => "ANY".to_owned(),
        Some(method) if ["*", "X-AMAZON-APIGATEWAY-ANY-METHOD"].contains(&method.as_str()) => "ANY".to_owned(),
        Some(method) => method,
    };
    let path = get("Path").map(|node| node.text().unwrap_or("?").to_owned());
    (method, path.unwrap_or_else(|| if kind == "HttpApi" { "$default".to_owned() } else { "/".to_owned() }))
}

/// What precedes the paths of a route that passes on all methods and all paths below; `None` for any other route.
fn prefix((method, path): &(String, String)) -> Option<&str> {
    if path == "$default" {
        return Some("");
    }
    let before = path.strip_suffix("+}").and_then(|rest| rest.rsplit_once("/{")).map(|(before, _)| before);
    before.filter(|before| method == "ANY" && !before.contains('{'))
}

fn auth(event: Option<&Node>, api: Option<&Node>) -> Auth {
    let (of_event, of_api) = (event.and_then(|node| node.get("Auth")), api.and_then(|api| api.get("Auth")));
    let other = |text: &str| Auth::Other(text.to_owned());
    let Some(api) = api else {
        return other("an API that is not in the template");
    };
    if api.get("DefinitionBody").or_else(|| api.get("DefinitionUri")).is_some() {
        return other("the API's OpenAPI definition");
    }
    let endpoint = api.get("EndpointConfiguration");
    let endpoint = endpoint.map(|node| node.get("Type").unwrap_or(node));
    if endpoint.is_some_and(|node| node.text().is_none_or(|text| text == "PRIVATE")) {
        return other("a private endpoint");
    }
    if [of_event, of_api].iter().flatten().any(|auth| auth.get("ResourcePolicy").is_some()) {
        return other("a resource policy");
    }
    let key = [of_event, of_api].into_iter().flatten().find_map(|auth| auth.get("ApiKeyRequired"));
    if key.is_some_and(|key| key.boolean() != Some(false)) {
        return other("an API key");
    }
    let own = of_event.and_then(|auth| auth.get("Authorizer"));
    let authorizer = own.or_else(|| of_api.and_then(|auth| auth.get("DefaultAuthorizer")));
    match authorizer.map(Node::text) {
        None | Some(Some("NONE")) => Auth::Everyone,
        Some(Some("AWS_IAM")) => Auth::Iam,
        Some(name) => Auth::Other(format!("the authorizer `{}`", name.unwrap_or("?"))),
    }
}

/// An event that is not a request.
fn other(writer: &mut Writer<'_>, name: &str, event: &Node) {
    if !event.is_map() || event.get("Type").is_some_and(|kind| kind.text().is_none()) {
        let kind = event.get("Type").unwrap_or(event);
        let (what, advice) = writer.values.why_unknown(&kind.unknown());
        let what = if kind.unknown().is_empty() { "is not an event".to_owned() } else { what };
        writer.left(event, &format!("Events.{name}"), what, advice);
        return;
    }
    let kind = event.get("Type").and_then(Node::text).unwrap_or("unknown");
    let advice = match kind {
        "Schedule" | "ScheduleV2" => "create the schedule with `aws scheduler`, for the function's alias `live`",
        "SQS" | "Kinesis" | "DynamoDB" | "MSK" | "SelfManagedKafka" | "MQ" | "DocumentDB" => {
            "connect it with `aws lambda create-event-source-mapping`, for the function's alias `live`"
        }
        "S3" | "SNS" | "EventBridgeRule" | "CloudWatchEvent" | "CloudWatchLogs" => {
            "connect it at the source of the event, and allow it with `aws lambda add-permission`"
        }
        _ => "connect it by hand, or keep it in SAM",
    };
    let what = format!("the event `{kind}` is not a request to a URL, and lamstream supports nothing else");
    writer.left(event, &format!("Events.{name}"), what, advice);
}
