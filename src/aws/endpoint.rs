//! Endpoints other than AWS's own. They are used if they are safe, and refused if a deploy would be split between two
//! clouds.

use super::api::{APIS, Api, Called};
use super::environment::Environment;
use super::error::{quoted, unusable};
use super::profile::Profiles;
use crate::apply::{CloudError, Reason};
use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use url::{Host, Url};

const VARIABLE: &str = "AWS_ENDPOINT_URL";
const KEY: &str = "endpoint_url";

const EXPECTED: &str =
    "expected `https://HOST`, or `http://` with an address of this machine, such as `http://127.0.0.1:4566`";

/// The endpoint of each service; `None` for AWS's own address.
#[derive(Clone, Debug)]
pub(super) struct Endpoints(Vec<(&'static Api, Option<String>)>);

impl Endpoints {
    /// The endpoints that the environment and the profile set.
    ///
    /// # Errors
    /// If an endpoint is not an address, or is an `http://` address of another machine.
    pub(super) fn of(
        config: &SdkConfig,
        environment: &Environment,
        profiles: &Profiles,
    ) -> Result<Endpoints, CloudError> {
        let endpoint = |service: &&'static Api| {
            let Some(text) = of_service(config, service) else { return Ok((*service, None)) };
            match parse(&text) {
                Ok(url) => Ok((*service, Some(written(&url)))),
                Err(why) => Err(unusable(&source(service, environment, profiles), &why)),
            }
        };
        APIS.iter().map(endpoint).collect::<Result<_, _>>().map(Endpoints)
    }

    /// The same endpoint for all services.
    pub(super) fn all_at(endpoint: &str) -> Endpoints {
        Endpoints(APIS.iter().map(|service| (*service, Some(endpoint.to_owned()))).collect())
    }

    /// The single endpoint of the services that every command may call; `None` for AWS's own addresses.
    ///
    /// # Errors
    /// If the services have different endpoints.
    pub(super) fn in_force(&self) -> Result<Option<&str>, CloudError> {
        self.one_for(|_| false)
    }

    /// The endpoint of a service that only some deploys need. It must be the same as that of the others.
    ///
    /// # Errors
    /// As for [`Endpoints::in_force`].
    pub(super) fn beside(&self, service: &Api) -> Result<Option<&str>, CloudError> {
        self.one_for(|other| other.id == service.id)
    }

    fn one_for(&self, is_needed: impl Fn(&Api) -> bool) -> Result<Option<&str>, CloudError> {
        let wanted: Vec<&(&Api, Option<String>)> =
            self.0.iter().filter(|(service, _)| service.called == Called::Always || is_needed(service)).collect();
        let first = wanted.first().and_then(|(_, endpoint)| endpoint.as_deref());
        if wanted.iter().all(|(_, endpoint)| endpoint.as_deref() == first) {
            return Ok(first);
        }
        let place = |(service, endpoint): &&(&Api, Option<String>)| {
            format!("{} at {}", service.id, endpoint.as_deref().unwrap_or("AWS itself"))
        };
        let places: Vec<String> = wanted.iter().map(place).collect();
        let why = format!("a deploy must not be split between clouds, but {}", places.join(", "));
        Err(CloudError::new("use the configured endpoints", Reason::SplitEndpoints, why))
    }
}

/// Whether this is the variable with one service's endpoint.
pub(super) fn is_variable(name: &str) -> bool {
    APIS.iter().any(|service| variable(service) == name)
}

fn variable(service: &Api) -> String {
    format!("{VARIABLE}_{}", service.id.to_uppercase().replace(' ', "_"))
}

/// Describes where a service's endpoint was set.
fn source(service: &Api, environment: &Environment, profiles: &Profiles) -> String {
    let variables = [variable(service), VARIABLE.to_owned()];
    match variables.iter().find(|name| environment.has(name)) {
        Some(name) => format!("`{name}`"),
        None => format!("the `{KEY}` of profile {}", quoted(profiles.selected())),
    }
}

/// The configured endpoint of a service. Empty values count as unset, in files as well.
fn of_service(config: &SdkConfig, service: &Api) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service.id).env(VARIABLE).profile(KEY).build().ok()?;
    let configured = config.service_config().and_then(|services| services.load_config(key));
    let configured = configured.filter(|text| !text.trim().is_empty());
    configured.or_else(|| config.endpoint_url().map(str::to_owned)).filter(|text| !text.trim().is_empty())
}

/// Parses an endpoint, and normalises it to a spelling that all parsers read in the same way.
///
/// # Errors
/// Why the text is not an endpoint or must not be used. The message quotes the text unless it may contain a password.
pub(super) fn parse(text: &str) -> Result<Url, String> {
    let url = address(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{} has a query or a fragment, and an endpoint has none", quoted(text)));
    }
    if url.scheme() == "http" && !is_near(&url) {
        let shown = quoted(&written(&url));
        return Err(format!("{shown} would send credentials and code unencrypted to another machine; {EXPECTED}"));
    }
    Ok(url)
}

/// Parses an `http` or `https` address with a host.
///
/// # Errors
/// As for [`parse`].
pub(super) fn address(text: &str) -> Result<Url, String> {
    let text = text.trim();
    if text.contains('@') {
        return Err(format!("its value, which is not shown, has a user name or a password in it; {EXPECTED}"));
    }
    let refused = |why: &str| format!("{} is not an address: {why}; {EXPECTED}", quoted(text));
    // The parser would correct all of these silently, each to something that another parser reads differently.
    if text.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == '\\') {
        return Err(refused("it contains a space, a control character or a backslash"));
    }
    match text.split_once("://") {
        None => return Err(refused("it has no scheme")),
        Some((scheme, rest)) => {
            if !["http", "https"].iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
                return Err(refused("its scheme is not `http` or `https`"));
            }
            if rest.is_empty() || rest.starts_with(['/', '?', '#', ':']) {
                return Err(refused("it has no host"));
            }
        }
    }
    let mut url = Url::parse(text).map_err(|error| refused(&error.to_string()))?;
    if url.port() == Some(0) {
        return Err(refused("port 0 cannot be called"));
    }
    // The final dot makes no difference to a resolver, except to one that reads the name from a file.
    if url.host_str() == Some("localhost.") {
        url.set_host(Some("localhost")).map_err(|error| refused(&error.to_string()))?;
    }
    Ok(url)
}

/// The address without the slash that the parser adds to an address without a path.
fn written(url: &Url) -> String {
    let text = url.as_str();
    if url.path() == "/" { text.trim_end_matches('/').to_owned() } else { text.to_owned() }
}

fn is_near(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        // Other names below `localhost` are looked up like any name, and may belong to another machine.
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether an address belongs to this machine.
pub fn is_loopback(url: &str) -> bool {
    address(url).is_ok_and(|url| is_near(&url))
}

#[cfg(test)]
mod tests {
    use super::super::api::{S3, SSM};
    use super::*;

    fn refusal(text: &str) -> Option<String> {
        parse(text).err()
    }

    #[test]
    fn loopback_may_be_http_and_elsewhere_must_be_https() {
        for (text, same) in [
            ("http://127.0.0.1:4566", "http://127.0.0.1:4566"),
            ("HTTP://LOCALHOST:4566", "http://localhost:4566"),
            ("http://localhost.:4566/", "http://localhost:4566"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://[::ffff:127.0.0.1]:1", "http://[::ffff:7f00:1]:1"),
            ("http://2130706433:1", "http://127.0.0.1:1"),
            ("http://0x7f.1", "http://127.0.0.1"),
            ("HTTPS://vpce.example", "https://vpce.example"),
            ("https://gateway.example/aws", "https://gateway.example/aws"),
            (" https://gateway.example\n", "https://gateway.example"),
        ] {
            assert_eq!(refusal(text), None, "{text}");
            assert_eq!(parse(text).map(|url| written(&url)), Ok(same.to_owned()));
        }
        for text in [
            "http://example.com",
            "HTTP://192.0.2.2:9999",
            "hTTp://10.0.0.1:4566",
            "http://localhost.example.com",
            "http://127.0.0.1.nip.io",
            "http://api.localhost:4566",
            "http://0.0.0.0:4566",
            "http://[::]:4566",
            "http://[2001:db8::1]:1",
            "http://3221225986",
            "http://0xc0000202",
        ] {
            assert!(refusal(text).is_some_and(|why| why.contains("unencrypted")), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_in_words() {
        for text in [
            "localhost:4566",
            "127.0.0.1:4566",
            "//127.0.0.1",
            "http:127.0.0.1",
            "http:/127.0.0.1",
            "http:///127.0.0.1",
            "http://",
            "http://:80",
            "http://127.0.0.1:65536",
            "http://127.0.0.1:-1",
            "http://127.0.0.1:0",
            "http://127.0.0.1\\example.com",
            "http://127.0.0.1 .example.com",
            "http://127.0.0.1\u{0}.example.com",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
            "http://[::1",
            "http://999.1.1.1",
            "http://127.0.0.1/?a=b",
            "http://127.0.0.1/#a",
            "http://a b",
        ] {
            let why = refusal(text).unwrap_or_else(|| panic!("{text} is accepted"));
            assert!(why.starts_with('`') && !why.contains('\n'), "{why}");
        }
        for text in ["http://planted:word@127.0.0.1", "https://planted@example.com", "http://@127.0.0.1"] {
            let why = refusal(text).expect("a refusal");
            assert!(why.contains("a user name or a password") && !why.contains("planted"), "{why}");
        }
    }

    #[test]
    fn services_must_not_go_to_different_places() {
        let mut endpoints = Endpoints::all_at("http://localhost:1");
        assert!(matches!(endpoints.in_force(), Ok(Some("http://localhost:1"))));
        endpoints.0[6].1 = None;
        assert!(endpoints.in_force().is_ok() && endpoints.beside(&SSM).is_ok() && endpoints.beside(&S3).is_err());
        endpoints.0[1].1 = None;
        let message = endpoints.in_force().expect_err("mixed").to_string();
        assert!(message.contains("IAM at AWS itself"), "{message}");
    }
}
