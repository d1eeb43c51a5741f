//! Sends one HTTP request and records the response with its times.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use reqwest::redirect::Policy;
use reqwest::{Client, Request, Response, Url};
use tokio::time::{Instant, timeout_at};

use super::fault::Fault;
use super::judge::{deadline, enough};
use super::observation::{Ending, Head, Observation};
use super::obstacle::Obstacle;
use super::signs::obstacle;
use crate::manifest::Check;

/// A URL that does not accept a connection in this time will not accept one later.
const CONNECT: Duration = Duration::from_secs(10);

/// A client for this URL. Redirects are not followed, and loopback addresses are never reached through a proxy.
pub(super) fn client(url: &Url) -> Result<Client, Fault> {
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .user_agent(concat!("lamstream/", env!("CARGO_PKG_VERSION")));
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    if url.scheme() == "http" {
        // Without TLS no root certificates are needed, and a machine without any must not fail here.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| Fault::Unreachable { obstacle: Obstacle::Tls, reason: innermost(&error) })
}

/// The URL of a check: the deployed URL with the check's path and query.
pub(super) fn url(base: &str, check: &Check) -> Result<Url, Fault> {
    let text = format!("{}{}", base.trim_end_matches('/'), check.path_and_query());
    Url::parse(&text).map_err(|error| unusable(format!("`{text}` is not a URL: {error}")))
}

pub(super) fn method(check: &Check) -> Result<Method, Fault> {
    check.method.parse().map_err(|_| unusable(format!("`{}` is not a method", check.method)))
}

/// The check's request, with these additional headers.
pub(super) fn request(url: Url, method: Method, check: &Check, added: &[(String, String)]) -> Result<Request, Fault> {
    let mut request = Request::new(method, url);
    let own = check.headers.iter().map(|(name, value)| (name.as_str(), value.reveal()));
    let added = added.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in own.chain(check.added_headers()).chain(added) {
        // The value may be a secret, so the error only names the header.
        let wrong = || unusable(format!("the header `{name}` is not one that HTTP allows"));
        let header = name.parse::<HeaderName>().map_err(|_| wrong())?;
        request.headers_mut().append(header, HeaderValue::from_str(value).map_err(|_| wrong())?);
    }
    if let Some(body) = &check.body {
        *request.body_mut() = Some(body.reveal().to_owned().into());
    }
    Ok(request)
}

/// Sends a request and reads the response until enough was observed, it ends, or `timeout` is over.
pub(super) async fn observe(
    client: &Client,
    request: Request,
    check: &Check,
    timeout: Duration,
) -> Result<Observation, Fault> {
    let start = Instant::now();
    match timeout_at(start + timeout, client.execute(request)).await {
        Err(_) => Err(Fault::Timeout { after: start.elapsed(), seen: None }),
        Ok(Err(error)) => Err(unreachable(&error)),
        Ok(Ok(response)) => Ok(read(response, check, start, timeout).await),
    }
}

async fn read(mut response: Response, check: &Check, start: Instant, timeout: Duration) -> Observation {
    let mut observation = Observation::begin(check, head(&response), start.elapsed());
    let ending = loop {
        let (until, _) = deadline(check, &observation, timeout);
        match timeout_at(start + until, response.chunk()).await {
            Ok(Ok(Some(chunk))) => observation.chunk(start.elapsed(), &chunk),
            Ok(Ok(None)) => break Ending::Complete,
            Ok(Err(error)) => break Ending::Cut(innermost(&error)),
            Err(_) => {}
        }
        // A stream without pauses never lets a timer fire, so the time is also checked after each chunk.
        if let Some(ending) = enough(check, &observation, start.elapsed(), timeout) {
            break ending;
        }
    };
    observation.end(start.elapsed(), ending);
    observation
}

/// Status and headers. Bytes of a header that are not text are replaced.
pub(super) fn head(response: &Response) -> Head {
    let headers = response.headers().iter();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = headers.map(|(name, value)| (name.to_string(), text(value))).collect();
    Head { status: response.status().as_u16(), headers }
}

pub(super) fn unreachable(error: &reqwest::Error) -> Fault {
    let reason = innermost(error);
    let obstacle = if error.is_builder() {
        Obstacle::Request
    } else if error.is_dns() {
        Obstacle::Name
    } else {
        obstacle(&chain(error))
    };
    Fault::Unreachable { obstacle, reason }
}

fn unusable(reason: String) -> Fault {
    Fault::Unreachable { obstacle: Obstacle::Request, reason }
}

/// The innermost cause, which is where HTTP clients say what happened.
pub(super) fn innermost(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or_else(|_| host == "localhost" || host.ends_with(".localhost"), |address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checks_path_and_query_are_put_into_the_url() {
        let check = Check {
            path: "/stream/chat".into(),
            query: vec![("query".into(), "a b+c&d=é".into()), ("x".into(), String::new())],
            ..Check::default()
        };
        let asked = url("https://abc.lambda-url.eu-central-1.on.aws/", &check).unwrap();
        assert_eq!(
            asked.as_str(),
            "https://abc.lambda-url.eu-central-1.on.aws/stream/chat?query=a%20b%2Bc%26d%3D%C3%A9&x="
        );
        assert_eq!(url("http://127.0.0.1:8080", &Check::default()).unwrap().as_str(), "http://127.0.0.1:8080/");
        assert!(matches!(url("nonsense", &check), Err(Fault::Unreachable { obstacle: Obstacle::Request, .. })));
    }

    #[test]
    fn loopback_is_known_in_every_spelling() {
        let is = |text: &str| is_loopback(&Url::parse(text).unwrap());
        assert!(is("http://127.0.0.1:9/") && is("http://[::1]:9/") && is("http://localhost/"));
        assert!(is("http://chat.localhost/") && !is("http://127.0.0.1.example.com/") && !is("https://example.com/"));
    }

    #[test]
    fn a_header_that_http_does_not_allow_is_named_without_its_value() {
        let check = Check { headers: vec![("x-token".into(), "se\ncret".into())], ..Check::default() };
        let fault = request(Url::parse("http://x/").unwrap(), Method::GET, &check, &[]).unwrap_err();
        assert_eq!(fault.to_string(), "the request is invalid: the header `x-token` is not one that HTTP allows");
    }
}
