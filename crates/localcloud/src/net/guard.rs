//! Refuses requests that a web page may have sent.
//!
//! A page in a browser can send requests to any port of this machine. If its own name resolves to this machine (DNS
//! rebinding), that name is in `Host`; otherwise the browser adds `Origin` or `Sec-Fetch-Site`.

use http::{HeaderMap, Request, Uri, header};

/// The header in which browsers report the site that a request comes from; no page can remove or change it.
const FETCH_SITE: &str = "sec-fetch-site";

/// Whether a host, with or without a port, is a loopback name or address.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let name = authority.host().to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    let address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    // Browsers resolve `localhost` and its subdomains by themselves, so no other site can have such a name.
    let is_ours = name == "localhost"
        || name.ends_with(".localhost")
        || address.is_ok_and(|address| address.to_canonical().is_loopback());
    is_ours && !host.contains('@')
}

/// The first host of a request that `is_ours` does not accept; empty if the request names no host at all.
fn foreign(uri: &Uri, headers: &HeaderMap, is_ours: impl Fn(&str) -> bool) -> Option<String> {
    let in_line = uri.authority().map(|authority| authority.as_str().to_owned());
    let in_headers = headers.get_all(header::HOST).iter();
    let in_headers = in_headers.map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
    let named: Vec<String> = in_line.into_iter().chain(in_headers).collect();
    if named.is_empty() {
        return Some(String::new());
    }
    named.into_iter().find(|host| !is_ours(host))
}

fn not_ours(host: &str, whose: &str) -> String {
    match host {
        "" => "the request names no host".to_owned(),
        _ => format!("the host `{}` is not {whose}", host.escape_debug()),
    }
}

/// Checks a request to the API.
///
/// # Errors
/// A message if the host is not a loopback name, or a web page sent the request.
pub(crate) fn api<T>(request: &Request<T>) -> Result<(), String> {
    let headers = request.headers();
    if let Some(host) = foreign(request.uri(), headers, is_loopback) {
        return Err(not_ours(&host, "a loopback name"));
    }
    // `none` means that the user opened the address, such as one to download code from.
    let by_page = headers.get_all(FETCH_SITE).iter().any(|site| site != "none");
    if by_page || headers.contains_key(header::ORIGIN) {
        return Err("calls from web pages are refused".to_owned());
    }
    Ok(())
}

/// Checks a request to a Function URL. Pages of other sites may call it: what they may read is decided by its CORS
/// settings.
///
/// # Errors
/// A message if the host is not a loopback name: with DNS rebinding, a page would otherwise have the same origin as the
/// URL.
pub(crate) fn url<T>(request: &Request<T>) -> Result<(), String> {
    match foreign(request.uri(), request.headers(), is_loopback) {
        None => Ok(()),
        Some(host) => Err(format!(
            "{}, so the local cloud refuses the request; if it comes through a tunnel or proxy of yours, \
             start the local cloud with `--public-hosts`",
            not_ours(&host, "a loopback name or address")
        )),
    }
}

/// Checks a request to an instance's Runtime API; `own` is its address.
///
/// # Errors
/// A message if the host is another one, or a browser sent the request.
pub(crate) fn runtime<T>(request: &Request<T>, own: &str) -> Result<(), String> {
    let headers = request.headers();
    if let Some(host) = foreign(request.uri(), headers, |host| host == own) {
        return Err(not_ours(&host, &format!("the address of this Runtime API, {own}")));
    }
    if headers.contains_key(header::ORIGIN) || headers.contains_key(FETCH_SITE) {
        return Err("the Runtime API does not answer browsers".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str, headers: &[(&str, &str)]) -> Request<()> {
        let request = Request::get(line);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(()).expect("valid")
    }

    #[test]
    fn only_loopback_names_are_hosts() {
        for host in [
            "127.0.0.1:4566",
            "127.9.9.9",
            "localhost",
            "LOCALHOST:1",
            "localhost.",
            "app.localhost:80",
            "[::1]:80",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost@evil.example",
            "a@localhost",
            "localhost.evil.example",
            "evillocalhost",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn every_host_that_a_request_names_counts() {
        let own = "127.0.0.1:9000";
        assert_eq!(runtime(&request("/", &[("host", own)]), own), Ok(()));
        assert_eq!(runtime(&request("http://127.0.0.1:9000/", &[("host", own)]), own), Ok(()));
        for (line, headers) in [
            ("/", vec![]),
            ("/", vec![("host", "127.0.0.1:9001")]),
            ("/", vec![("host", "localhost:9000")]),
            ("/", vec![("host", own), ("host", "rebound.example")]),
            ("http://rebound.example/", vec![("host", own)]),
            ("http://127.0.0.1:9000/", vec![("host", "rebound.example")]),
        ] {
            let request = request(line, &headers);
            assert!(runtime(&request, own).is_err(), "{request:?}");
        }
        assert!(url(&request("http://rebound.example/", &[("host", own)])).is_err());
        assert!(api(&request("/", &[("host", own), ("host", "rebound.example")])).is_err());
    }

    #[test]
    fn what_browsers_add_is_distinguished_from_an_address_that_the_user_opens() {
        let host = ("host", "127.0.0.1:9000");
        for (name, value) in [("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")] {
            assert!(api(&request("/", &[host, (name, value)])).is_err(), "{name}: {value}");
            assert!(runtime(&request("/", &[host, (name, value)]), host.1).is_err(), "{name}: {value}");
            assert_eq!(url(&request("/", &[host, (name, value)])), Ok(()));
        }
        assert_eq!(api(&request("/", &[host, ("sec-fetch-site", "none")])), Ok(()));
        assert!(runtime(&request("/", &[host, ("sec-fetch-site", "none")]), host.1).is_err());
        // Node's `fetch` sends this one from functions, too.
        assert_eq!(runtime(&request("/", &[host, ("sec-fetch-mode", "cors")]), host.1), Ok(()));
    }
}
