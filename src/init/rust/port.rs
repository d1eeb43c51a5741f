//! The port that a server in Rust listens on.

use super::crates::Crate;
use super::module::Module;
use crate::init::found::Port;
use crate::init::source::Source;
use crate::init::tree::{Tree, join};
use toml::{Table, Value};

/// Rocket's own default.
const ROCKET: u32 = 8000;

pub(super) fn port(tree: &Tree, of: &Crate, modules: &[Module]) -> Port {
    let reads = |module: &Module| module.source.all().any(|at| module.source.text(at) == Some("PORT"));
    if modules.iter().any(reads) {
        return Port::FromVariable;
    }
    if of.needs("rocket") {
        let table = tree.text(&join(&of.directory, "Rocket.toml")).and_then(|text| text.parse::<Table>().ok());
        let named = |profile: &str| table.as_ref()?.get(profile)?.get("port").and_then(Value::as_integer);
        let named = ["release", "default", "global"].into_iter().find_map(named);
        return Port::Fixed(named.and_then(|port| u32::try_from(port).ok()).unwrap_or(ROCKET));
    }
    let (main, others): (Vec<&Module>, Vec<&Module>) =
        modules.iter().partition(|module| module.path.ends_with("main.rs"));
    main.into_iter().chain(others).find_map(|module| fixed(&module.source)).map_or(Port::Unknown, Port::Fixed)
}

/// Of `"0.0.0.0:3000"`, `([127, 0, 0, 1], 3000)`, `("127.0.0.1", 3000)` or `(Ipv4Addr::LOCALHOST, 3000)`.
fn fixed(source: &Source) -> Option<u32> {
    let of_token = |at: usize| {
        if let Some((host, port)) = source.text(at).and_then(|text| text.rsplit_once(':')) {
            return is_host(host).then(|| port.parse().ok()).flatten();
        }
        let is_address = source.is_sign(at, ']')
            || source.text(at).is_some_and(is_host)
            || source.word(at).is_some_and(|word| ["LOCALHOST", "UNSPECIFIED"].contains(&word));
        let number = if source.is_sign(at + 1, ',') { source.number(at + 2) } else { None };
        number.filter(|_| is_address && source.is_sign(at + 3, ')'))
    };
    source.all().find_map(of_token).filter(|port| (1..=65535).contains(port))
}

fn is_host(text: &str) -> bool {
    let is_address = text.split('.').count() == 4 && text.split('.').all(|part| part.parse::<u8>().is_ok());
    is_address || ["localhost", "[::]", "[::1]", "::"].contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tokens::Language;

    #[test]
    fn ports_are_found_however_they_are_written() {
        for (text, expected) in [
            ("TcpListener::bind(\"0.0.0.0:3000\")", Some(3000)),
            ("SocketAddr::from(([127, 0, 0, 1], 3001))", Some(3001)),
            (".bind((\"127.0.0.1\", 8_081))", Some(8081)),
            ("bind((Ipv4Addr::UNSPECIFIED, 8082u16))", Some(8082)),
            ("// \"0.0.0.0:3000\"\nlet time = \"12:30\";", None),
            ("let a = [1, 2][0];", None),
        ] {
            assert_eq!(fixed(&Source::new(Language::Rust, text)), expected, "{text}");
        }
    }
}
