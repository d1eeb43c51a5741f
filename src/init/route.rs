//! The routes of an app, and the check that fits them.

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: Option<String>,
    pub streams: bool,
}

/// The request that a release must answer.
#[derive(Clone, Debug, Default)]
pub enum CheckFound {
    Complete(Check),
    /// The route is an MCP server.
    Mcp(String),
    /// The route needs a request that the source does not show.
    Incomplete(Check),
    /// The source shows no route.
    #[default]
    None,
}

/// A route in the source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Route {
    pub method: String,
    /// With `{name}` or `:name` in it for parameters.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(&'static str, &'static str)>,
    /// The fields of a JSON body.
    pub fields: Vec<(String, Value)>,
    pub streams: bool,
    /// Whether it needs more than is known here.
    pub is_unclear: bool,
}

/// An example of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text,
    Number,
    Flag,
    /// Messages of a chat.
    Messages,
    /// A list of texts.
    Texts,
}

impl Value {
    /// By the name of a field whose type is not known.
    pub(super) fn of_name(name: &str) -> Value {
        match name {
            "messages" => Value::Messages,
            "count" | "limit" | "n" | "max_tokens" | "maxTokens" | "page" | "size" | "id" | "seconds" => Value::Number,
            _ => Value::Text,
        }
    }

    pub(super) fn plain(self) -> &'static str {
        match self {
            Value::Number => "3",
            Value::Flag => "true",
            Value::Text | Value::Messages | Value::Texts => "hello",
        }
    }

    fn json(self) -> &'static str {
        match self {
            Value::Text => "\"hello\"",
            Value::Number => "3",
            Value::Flag => "true",
            Value::Messages => "[{\"role\":\"user\",\"content\":\"hello\"}]",
            Value::Texts => "[\"hello\"]",
        }
    }
}

impl Route {
    pub(super) fn new(method: &str, path: &str) -> Route {
        // Flask and Django write parameters as `<int:id>`.
        let path = path.replace('<', "{").replace('>', "}");
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        Route { method: method.to_uppercase(), path, ..Route::default() }
    }

    fn check(&self) -> Check {
        let body = (!self.fields.is_empty()).then(|| {
            let fields: Vec<String> =
                self.fields.iter().map(|(name, value)| format!("\"{name}\":{}", value.json())).collect();
            format!("{{{}}}", fields.join(","))
        });
        let json = body.is_some().then_some(("content-type", "application/json"));
        let headers = self.headers.iter().copied().chain(json).collect();
        Check {
            method: self.method.clone(),
            path: filled(&self.path),
            query: self.query.clone(),
            headers,
            body,
            streams: self.streams,
        }
    }

    fn is_known(&self) -> bool {
        let is_method = ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&self.method.as_str());
        is_method && !self.is_unclear && !self.path.contains(['*', '(', '<', '?', ' ', '^'])
    }

    fn is_simple(&self) -> bool {
        self.method == "GET" && self.is_known() && !self.streams && !self.has_parameters() && self.query.is_empty()
    }

    fn has_parameters(&self) -> bool {
        self.path.contains(['{', ':'])
    }
}

/// The path with values for its parameters.
fn filled(path: &str) -> String {
    let part = |part: &str| {
        let name = part.strip_prefix(':').or_else(|| part.strip_prefix('{'));
        match name.map(|name| name.trim_end_matches(['}', '?'])) {
            Some(name) if name.ends_with(":int") || name.starts_with("int:") => "1".to_owned(),
            Some(name) if ["id", "count", "n", "number", "seconds"].contains(&name) || name.ends_with("_id") => {
                "1".to_owned()
            }
            Some(_) => "hello".to_owned(),
            None => part.to_owned(),
        }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The check for an app with these routes: a stream if one can be seen, otherwise `/` or the simplest page.
pub(super) fn check_for(routes: &[Route]) -> CheckFound {
    let plain = plain(routes);
    let streaming = || routes.iter().filter(|route| route.streams);
    match (streaming().find(|route| route.is_known()), streaming().next(), plain) {
        (Some(route), _, _) => CheckFound::Complete(route.check()),
        (None, Some(route), None) => CheckFound::Incomplete(route.check()),
        (None, _, Some(plain)) => CheckFound::Complete(plain),
        (None, None, None) => CheckFound::None,
    }
}

/// A streaming route that the check does not cover, because the source does not show the request that it needs.
pub(super) fn unclear_stream(routes: &[Route]) -> Option<String> {
    let streaming: Vec<&Route> = routes.iter().filter(|route| route.streams).collect();
    match streaming.first() {
        Some(first) if !streaming.iter().any(|route| route.is_known()) => {
            Some(format!("{} {}", first.method, first.path))
        }
        _ => None,
    }
}

fn plain(routes: &[Route]) -> Option<Check> {
    let simple = || routes.iter().filter(|route| route.is_simple());
    let by_path =
        |paths: &[&str]| paths.iter().find_map(|path| simple().find(|route| route.path.trim_end_matches('/') == *path));
    let health = ["/health", "/healthz", "/healthcheck", "/health-check", "/ping", "/status", "/up"];
    // FastAPI's description needs nothing else; other routes may need a database, or a service.
    let found = by_path(&health).or_else(|| by_path(&[""])).or_else(|| by_path(&["/openapi.json"]));
    let found = found.or_else(|| simple().next());
    found.map(Route::check)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Route {
        Route::new(method, path)
    }

    #[test]
    fn a_stream_is_preferred_to_a_page_and_a_page_to_nothing() {
        let stream = Route { streams: true, ..route("get", "/events/{id}") };
        let all = [route("get", "/a"), route("get", "/"), stream];
        let CheckFound::Complete(check) = check_for(&all) else { panic!("no check") };
        assert_eq!((check.path.as_str(), check.streams), ("/events/1", true));
        let CheckFound::Complete(check) = check_for(&all[..2]) else { panic!("no check") };
        assert_eq!((check.path.as_str(), check.streams), ("/", false));
        assert!(matches!(check_for(&[route("post", "/a")]), CheckFound::None));
        let CheckFound::Complete(check) = check_for(&[route("get", "/count"), route("get", "/openapi.json")]) else {
            panic!("no check")
        };
        assert_eq!(check.path, "/openapi.json");
    }

    #[test]
    fn a_stream_that_needs_an_unknown_request_is_only_named() {
        let stream = Route { streams: true, is_unclear: true, ..route("post", "/chat") };
        let all = [stream, route("get", "/health")];
        let CheckFound::Complete(check) = check_for(&all) else { panic!("no check") };
        assert_eq!((check.path.as_str(), check.streams), ("/health", false));
        assert_eq!(unclear_stream(&all).as_deref(), Some("POST /chat"));
        assert!(matches!(check_for(&all[..1]), CheckFound::Incomplete(_)));
    }

    #[test]
    fn a_body_has_the_fields_that_the_route_needs() {
        let fields = vec![("messages".to_owned(), Value::Messages), ("n".to_owned(), Value::Number)];
        let check = Route { fields, ..route("post", "/chat") }.check();
        assert_eq!(check.body.as_deref(), Some(r#"{"messages":[{"role":"user","content":"hello"}],"n":3}"#));
        assert_eq!(check.headers, [("content-type", "application/json")]);
    }
}
