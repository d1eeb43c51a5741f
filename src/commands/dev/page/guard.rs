//! Which requests the page's server answers: those of its own page, and of nothing else.
//!
//! Every page in a browser can send requests to this port. It cannot know the token. If it uses DNS rebinding, its own name
//! is in `Host`; otherwise the browser adds `Origin` or `Sec-Fetch-Site`.

use http::{HeaderMap, Method, StatusCode, header};

/// The header in which browsers report the site that a request comes from; no page can remove or change it.
const FETCH_SITE: &str = "sec-fetch-site";
/// The bytes of a token.
const TOKEN: usize = 16;

/// Where the page is.
pub(super) struct Guard {
    port: u16,
    token: String,
}

impl Guard {
    /// # Errors
    /// If the system has no random numbers.
    pub(super) fn new(port: u16) -> Result<Guard, getrandom::Error> {
        let mut bytes = [0; TOKEN];
        getrandom::fill(&mut bytes)?;
        Ok(Guard { port, token: hex::encode(bytes) })
    }

    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.port, self.token)
    }

    /// The part of the path after the token.
    ///
    /// # Errors
    /// The status for a request that is refused.
    pub(super) fn admit<'p>(&self, method: &Method, path: &'p str, headers: &HeaderMap) -> Result<&'p str, StatusCode> {
        let own = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        let hosts: Vec<&[u8]> = headers.get_all(header::HOST).iter().map(|host| host.as_bytes()).collect();
        let [host] = hosts[..] else { return Err(StatusCode::FORBIDDEN) };
        if !own.iter().any(|own| own.as_bytes() == host) {
            return Err(StatusCode::FORBIDDEN);
        }
        let origin = [b"http://", host].concat();
        if headers.get_all(header::ORIGIN).iter().any(|named| named.as_bytes() != origin) {
            return Err(StatusCode::FORBIDDEN);
        }
        // `none` means that the user opened the address.
        let is_opened = |site: &[u8]| site == b"none" && method == Method::GET;
        let mut sites = headers.get_all(FETCH_SITE).iter().map(|site| site.as_bytes());
        if !sites.all(|site| site == b"same-origin" || is_opened(site)) {
            return Err(StatusCode::FORBIDDEN);
        }
        let (token, rest) = path.strip_prefix('/').and_then(|path| path.split_once('/')).unwrap_or_default();
        if is_same(token, &self.token) { Ok(rest) } else { Err(StatusCode::NOT_FOUND) }
    }
}

/// Takes the same time for every text of the token's length.
fn is_same(given: &str, token: &str) -> bool {
    let differences = given.bytes().zip(token.bytes()).fold(0, |found, (one, other)| found | (one ^ other));
    given.len() == token.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(method: Method, path: &str, headers: &[(&'static str, &'static str)]) -> Result<String, u16> {
        let guard = Guard { port: 4000, token: "secret".to_owned() };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        guard.admit(&method, path, &map).map(str::to_owned).map_err(|status| status.as_u16())
    }

    const HOST: (&str, &str) = ("host", "127.0.0.1:4000");

    #[test]
    fn the_page_itself_is_admitted() {
        for headers in [
            &[HOST][..],
            &[("host", "localhost:4000"), ("origin", "http://localhost:4000")],
            &[HOST, ("sec-fetch-site", "none")],
            &[HOST, ("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:4000")],
        ] {
            assert_eq!(admitted(Method::GET, "/secret/feed", headers), Ok("feed".to_owned()), "{headers:?}");
        }
        assert_eq!(admitted(Method::GET, "/secret/", &[HOST]), Ok(String::new()));
        let sent = [HOST, ("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:4000")];
        assert_eq!(admitted(Method::POST, "/secret/send", &sent), Ok("send".to_owned()));
    }

    #[test]
    fn other_pages_are_not() {
        for headers in [
            &[][..],
            &[HOST, HOST],
            &[("host", "127.0.0.1:4001")],
            &[("host", "rebound.example:4000")],
            &[HOST, ("origin", "null")],
            &[HOST, ("origin", "http://localhost:4000")],
            &[HOST, ("origin", "https://127.0.0.1:4000")],
            &[HOST, ("sec-fetch-site", "cross-site")],
            &[HOST, ("sec-fetch-site", "same-site")],
        ] {
            assert_eq!(admitted(Method::GET, "/secret/feed", headers), Err(403), "{headers:?}");
        }
        assert_eq!(admitted(Method::POST, "/secret/send", &[HOST, ("sec-fetch-site", "none")]), Err(403));
        for path in ["/", "/secret", "/secre/feed", "/secrets/feed", "/Secret/feed", "//feed", "feed"] {
            assert_eq!(admitted(Method::GET, path, &[HOST]), Err(404), "{path}");
        }
    }
}
