//! The port that a server in JavaScript listens on.

use std::ops::Range;

use super::module::Module;
use crate::init::found::Port;
use crate::init::source::TEXT;

pub(super) fn port(modules: &[Module], entry: Option<&str>) -> Port {
    let reads = |module: &Module| {
        let source = &module.source;
        let is_member = source.has(source.all(), &[".", "PORT"])
            || source.has(source.all(), &["get", "(", TEXT]) && source.has_text(source.all(), "PORT");
        // `process.env["PORT"]`, and `const { PORT } = process.env`.
        let is_named = source.has_word(source.all(), &["env"])
            && (source.has_word(source.all(), &["PORT"]) || source.all().any(|at| source.text(at) == Some("PORT")));
        is_member || is_named
    };
    if modules.iter().any(reads) {
        return Port::FromVariable;
    }
    let (first, rest): (Vec<&Module>, Vec<&Module>) =
        modules.iter().partition(|module| Some(module.path.as_str()) == entry);
    first.into_iter().chain(rest).find_map(listens).map_or(Port::Unknown, Port::Fixed)
}

/// The port of `listen(3000)`, `listen(port)`, `listen({ port: 3000 })`, `serve({ port: 3000 })` or `Deno.serve(handler)`.
fn listens(module: &Module) -> Option<u32> {
    let source = &module.source;
    let of_call = |at: usize| {
        let is_listen = source.is_at(at, &[".", "listen", "("]);
        let is_serve = source.is_at(at, &["serve", "("]) || source.is_at(at, &["Serve", "("]);
        let open = if is_listen { at + 2 } else { at + 1 };
        if !is_listen && !is_serve {
            return None;
        }
        let object = if source.is_sign(open + 1, '{') { Some(open + 1) } else { None };
        let default = if is_serve { default(module, at, open, object) } else { None };
        let number = |at: usize| source.number(at).or_else(|| module.number(source.word(at)?));
        // `{ port }`
        let is_port = |range: &Range<usize>| range.len() == 1 && source.word(range.start) == Some("port");
        match object {
            Some(object) => match source.keyword(object, "port") {
                Some(value) => number(value.start),
                None if source.arguments(object).iter().any(is_port) => module.number("port"),
                None => default,
            },
            None if is_serve => default,
            None => number(open + 1),
        }
    };
    let exported = || {
        // Bun's `export default { port: 3000, fetch }`.
        let at = source.matches(source.all(), &["export", "default", "{"]).into_iter().next()?;
        source.number(source.keyword(at + 2, "port")?.start)
    };
    source.all().find_map(of_call).or_else(exported)
}

/// The port that `serve(…)` uses if the call does not name one: its arguments are after `open`, and `object` is the first one
/// if that is an object.
fn default(module: &Module, at: usize, open: usize, object: Option<usize>) -> Option<u32> {
    let source = &module.source;
    if module.origin("serve") == Some("@hono/node-server") {
        return Some(3000);
    }
    let is_deno = at >= 2 && source.is_at(at - 2, &["Deno", "."]);
    // An only argument is the handler. Otherwise the first one has the options.
    (is_deno && (object.is_some() || source.arguments(open).len() == 1)).then_some(8000)
}

/// Whether a file starts a server.
pub(super) fn is_server(module: &Module) -> bool {
    let source = &module.source;
    source.has(source.all(), &[".", "listen", "("])
        || source.has(source.all(), &["Bun", ".", "serve", "("])
        || source.has(source.all(), &["Deno", ".", "serve", "("])
        || source.has(source.all(), &["serve", "("]) && module.origin("serve").is_some()
}

/// Whether a file exports a server, as Bun and Cloudflare Workers start it.
pub(super) fn is_exported(module: &Module) -> bool {
    let source = &module.source;
    let is_object = source.has(source.all(), &["export", "default", "{"]) && source.has_word(source.all(), &["fetch"]);
    is_object || source.has(source.all(), &["export", "default", "app"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_found_however_they_are_written() {
        for (text, expected) in [
            ("app.listen(3000)", Port::Fixed(3000)),
            ("const port = 4000;\napp.listen(port, () => {})", Port::Fixed(4000)),
            ("const port: number = 4000;\nserver.listen(port)", Port::Fixed(4000)),
            ("app.listen({ port: 5_000, host: '0.0.0.0' })", Port::Fixed(5000)),
            ("app.listen(process.env.PORT || 3000)", Port::FromVariable),
            ("const { PORT = 3000 } = process.env; app.listen(PORT)", Port::FromVariable),
            ("app.listen(process.env['PORT'])", Port::FromVariable),
            ("import { serve } from '@hono/node-server'\nserve(app)", Port::Fixed(3000)),
            ("import { serve } from '@hono/node-server'\nserve({ fetch: app.fetch, port: 8787 })", Port::Fixed(8787)),
            ("Deno.serve(handler)", Port::Fixed(8000)),
            ("Deno.serve({ onListen() {} }, (request) => answer(request, 1))", Port::Fixed(8000)),
            ("Deno.serve({ port: 4505 }, handler)", Port::Fixed(4505)),
            ("Deno.serve({ port: options.port }, handler)", Port::Unknown),
            ("Deno.serve({ port }, handler)", Port::Unknown),
            ("Deno.serve(options, handler)", Port::Unknown),
            ("export default { port: 7000, fetch: app.fetch }", Port::Fixed(7000)),
            ("// app.listen(3000)\nconst text = 'app.listen(3000)'", Port::Unknown),
            ("app.listen(config.port)", Port::Unknown),
        ] {
            assert_eq!(port(&[Module::new("index.ts", text)], None), expected, "{text}");
        }
    }
}
