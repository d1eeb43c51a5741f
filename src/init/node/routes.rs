//! The routes of servers in JavaScript, and which of them stream.

use super::body;
use super::module::Module;
use crate::init::route::Route;
use crate::init::source::{TEXT, WORD};
use std::ops::Range;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// What a handler uses that answers piece by piece.
const STREAMS: &[&str] = &[
    "streamSSE",
    "streamText",
    "ReadableStream",
    "createEventStream",
    "toDataStreamResponse",
    "toUIMessageStreamResponse",
    "toTextStreamResponse",
    "pipeDataStreamToResponse",
    "pipeUIMessageStreamToResponse",
    "pipeTextStreamToResponse",
];
/// Methods of a router's owner that mount the router.
const MOUNTS: [&str; 3] = ["use", "route", "register"];
/// Routers mount routers, but not without end.
const DEEPEST: usize = 4;

/// `app.get("/path", handler)` in all files.
pub(super) fn routes(modules: &[Module]) -> Vec<Route> {
    let of_module = |module: &Module| {
        let source = &module.source;
        let calls = source.all().filter_map(|at| route(modules, module, at));
        let objects = source.all().filter_map(|at| object(module, at));
        calls.chain(objects).collect::<Vec<_>>()
    };
    modules.iter().flat_map(of_module).collect()
}

fn route(modules: &[Module], module: &Module, at: usize) -> Option<Route> {
    let source = &module.source;
    // Of a chain of calls, the owner is what the chain begins with.
    if !source.is_at(at, &[".", WORD, "(", TEXT, ","]) {
        return None;
    }
    let method = source.word(at + 1).filter(|method| METHODS.contains(method))?;
    let owner = owner(module, at)?;
    let path = source.text(at + 3)?;
    if !path.starts_with('/') {
        return None;
    }
    let open = at + 2;
    let prefix = prefix(modules, module, owner, 0);
    let mut found =
        Route::new(method, &format!("{}{path}", prefix.as_deref().unwrap_or_default().trim_end_matches('/')));
    found.is_unclear = prefix.is_none();
    handle(&mut found, modules, module, open + 3..source.close(open));
    Some(found)
}

/// Fastify's `route({ method: "GET", url: "/path", handler })`.
fn object(module: &Module, at: usize) -> Option<Route> {
    let source = &module.source;
    if !source.is_at(at, &[".", "route", "(", "{"]) {
        return None;
    }
    let open = at + 3;
    let method = source.text(source.keyword(open, "method")?.start)?;
    let url = source.text(source.keyword(open, "url")?.start)?;
    let mut found = Route::new(method, url);
    handle(&mut found, &[], module, open..source.close(open));
    Some(found)
}

/// What a handler, or the function of its name, tells about request and response.
fn handle(route: &mut Route, modules: &[Module], module: &Module, handler: Range<usize>) {
    let source = &module.source;
    let last = handler.clone().rev().find_map(|at| source.word(at));
    let is_name = handler.len() <= 8 && !source.has(handler.clone(), &["=", ">"]);
    let named = last.filter(|_| is_name).and_then(|name| {
        let own = module.function(name).map(|body| (module, body));
        own.or_else(|| {
            let origin = module.origin(name).or_else(|| module.origin(source.word(handler.start)?))?;
            let other = modules.iter().find(|other| module.is_path_of(origin, other))?;
            Some((other, other.function(name)?))
        })
    });
    let (module, body) = named.unwrap_or((module, handler));
    route.streams = streams(module, body.clone());
    body::read(route, module, body);
}

/// Whether a block answers piece by piece.
pub(super) fn streams(module: &Module, block: Range<usize>) -> bool {
    let source = &module.source;
    let by_word = source.has_word(block.clone(), STREAMS);
    let is_hono = |at: usize| {
        source.is_at(at, &["stream", "("]) && module.origin("stream").is_some_and(|from| from.starts_with("hono"))
    };
    let writes = source.has(block.clone(), &[".", "write", "("]);
    let waits = source.has_word(block.clone(), &["await", "setTimeout", "setInterval", "for", "on"]);
    by_word || source.has_text(block.clone(), "text/event-stream") || block.clone().any(is_hono) || writes && waits
}

/// The variable that a chain of calls begins with: `app` in `app.use(…).get(`.
fn owner(module: &Module, mut at: usize) -> Option<&str> {
    let source = &module.source;
    loop {
        let before = at.checked_sub(1)?;
        if let Some(word) = source.word(before) {
            match before.checked_sub(1).filter(|dot| source.is_sign(*dot, '.')) {
                Some(dot) => at = dot,
                None => return Some(word),
            }
        } else if source.is_sign(before, ')') {
            let open = (0..before).rev().find(|open| source.is_sign(*open, '(') && source.close(*open) == before)?;
            at = open;
        } else {
            return None;
        }
    }
}

/// What comes before the paths of a router; `None` if it is not known.
fn prefix(modules: &[Module], module: &Module, owner: &str, depth: usize) -> Option<String> {
    if depth > DEEPEST {
        return None;
    }
    let source = &module.source;
    if source.has_word(source.all(), &["basePath", "setGlobalPrefix"]) {
        return None;
    }
    let mount = modules.iter().find_map(|other| mounted(other, module, owner).map(|found| (other, found)));
    if let Some((other, (by, path))) = mount {
        // Something else than a string may be the path.
        return Some(prefix(modules, other, &by, depth + 1)? + path?.trim_end_matches('/'));
    }
    let is_router = source.all().any(|at| {
        let made = source.is_at(at, &[owner, "="]) || source.is_at(at, &[owner, ":", WORD, "="]);
        made && (at..at + 9).any(|at| source.word(at).is_some_and(|word| word.ends_with("Router")))
    });
    // Koa's router is used without being mounted by its name: `app.use(router.routes())`.
    let is_own = source.has(source.all(), &["use", "(", owner, ".", "routes"]);
    if is_router && !is_own { None } else { Some(String::new()) }
}

/// Where a file mounts a router of another one: the owner, and the path if it is a string or missing.
fn mounted(module: &Module, of: &Module, router: &str) -> Option<(String, Option<String>)> {
    let source = &module.source;
    let is_same = module.path == of.path;
    let mount = |at: usize| {
        let is_mount = source.is_sign(at, '.')
            && source.word(at + 1).is_some_and(|word| MOUNTS.contains(&word))
            && source.is_sign(at + 2, '(');
        if !is_mount {
            return None;
        }
        let open = at + 2;
        let arguments = source.arguments(open);
        let is_it = |range: &Range<usize>| {
            let required =
                source.is_at(range.start, &["require", "(", TEXT]).then(|| source.text(range.start + 2)).flatten();
            if let Some(path) = required {
                return !is_same && module.is_path_of(path, of);
            }
            let Some(name) = source.word(range.start) else { return false };
            match is_same {
                true => name == router,
                false => module.origin(name).is_some_and(|path| module.is_path_of(path, of)),
            }
        };
        arguments
            .iter()
            .skip(usize::from(is_same))
            .chain(arguments.iter().take(usize::from(is_same)))
            .find(|range| is_it(range))?;
        let first = arguments.first()?;
        let path = match source.text(first.start) {
            Some(path) if !path.contains("${") => Some(path.to_owned()),
            Some(_) => None,
            None if source.word(at + 1) == Some("register") => {
                let options = arguments.get(1).map(|range| range.start).filter(|at| source.is_sign(*at, '{'));
                match options.and_then(|open| source.keyword(open, "prefix")) {
                    Some(value) => source.text(value.start).map(str::to_owned),
                    None => Some(String::new()),
                }
            }
            None if arguments.len() == 1 || is_it(first) => Some(String::new()),
            None => None,
        };
        let by = owner(module, at)?;
        (by != router || !is_same).then(|| (by.to_owned(), path))
    };
    source.all().find_map(mount)
}

/// Nest's `@Controller("cats")` with `@Get("path")` and `@Sse("path")`.
pub(super) fn controllers(modules: &[Module]) -> Vec<Route> {
    let has_prefix = modules
        .iter()
        .any(|module| module.source.has_word(module.source.all(), &["setGlobalPrefix", "enableVersioning"]));
    let mut found = Vec::new();
    for module in modules {
        let source = &module.source;
        let mut base = String::new();
        for at in source.all().filter(|at| source.is_at(*at, &["@", WORD, "("])) {
            let name = source.word(at + 1).unwrap_or_default();
            let path = source.text(at + 3).unwrap_or_default();
            let is_plain = source.is_sign(at + 3, ')') || source.is_at(at + 3, &[TEXT, ")"]);
            match name {
                "Controller" => base = path.trim_matches('/').to_owned(),
                "Get" | "Post" | "Sse" => {
                    let full = [base.as_str(), path.trim_matches('/')].into_iter().filter(|part| !part.is_empty());
                    let method = if name == "Post" { "post" } else { "get" };
                    let mut route = Route::new(method, &full.collect::<Vec<_>>().join("/"));
                    route.streams = name == "Sse";
                    route.is_unclear = has_prefix || !is_plain || name == "Post";
                    found.push(route);
                }
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Vec<Route> {
        routes(&files.iter().map(|(path, text)| Module::new(path, text)).collect::<Vec<_>>())
    }

    #[test]
    fn a_stream_is_seen_by_what_its_handler_does() {
        for (text, streams) in [
            ("app.get('/x', (req, res) => { res.setHeader('content-type', 'text/event-stream'); })", true),
            ("app.get('/x', async (req, res) => { for (const a of b) { res.write(a); await c(); } res.end(); })", true),
            (
                "app.get('/x', handler);\nfunction handler(req, res) { res.set('Content-Type', 'text/event-stream') }",
                true,
            ),
            ("app.get('/x', handler);\nconst handler = async (c) => { return streamSSE(c, async (s) => {}) }", true),
            ("import { stream } from 'hono/streaming'\napp.get('/x', (c) => stream(c, async (s) => {}))", true),
            ("app.get('/x', (req, res) => { /* text/event-stream */ res.send('hello') })", false),
            ("app.get('/x', (req, res) => { file.write('x'); res.send('hello') })", false),
        ] {
            let found = of(&[("index.js", text)]);
            assert_eq!((found.len(), found[0].path.as_str(), found[0].streams), (1, "/x", streams), "{text}");
        }
    }

    #[test]
    fn routers_are_below_the_path_that_they_are_mounted_at() {
        let router = "const router = express.Router();\nrouter.get('/x', (req, res) => res.send(''));\nmodule.exports = router;\n";
        for (main, path, is_unclear) in [
            ("const api = require('./routes/api');\nconst app = express();\napp.use('/v1', api);\n", "/v1/x", false),
            (
                "import api from './routes/api.js';\nconst app = express();\napp.use('/v1', auth, api);\n",
                "/v1/x",
                false,
            ),
            ("const app = express();\napp.use('/v1/', require('./routes/api'));\n", "/v1/x", false),
            ("const api = require('./routes/api');\nconst app = express();\napp.use(api);\n", "/x", false),
            ("const api = require('./routes/api');\nconst app = express();\napp.use(PREFIX, api);\n", "/x", true),
            ("const app = express();\n", "/x", true),
        ] {
            let found = of(&[("index.js", main), ("routes/api.js", router)]);
            assert_eq!((found[0].path.as_str(), found[0].is_unclear), (path, is_unclear), "{main}");
        }
        let own = "const app = new Hono()\nconst api = new Hono()\napi.get('/x', (c) => c.text(''))\napp.route('/api', api)\n";
        assert_eq!(of(&[("index.ts", own)])[0].path, "/api/x");
    }

    #[test]
    fn chains_and_objects_are_routes_too() {
        let found = of(&[(
            "index.ts",
            "const app = new Hono().use(x()).get('/a', (c) => c.text('')).post('/b', (c) => c.text(''))",
        )]);
        assert_eq!(found.iter().map(|route| route.path.as_str()).collect::<Vec<_>>(), ["/a", "/b"]);
        let found = of(&[("index.ts", "fastify.route({ method: 'GET', url: '/c', handler: async () => 1 })")]);
        assert_eq!((found[0].method.as_str(), found[0].path.as_str()), ("GET", "/c"));
        assert_eq!(of(&[("index.ts", "map.get('key', 1); headers.get('/x')")]), []);
    }

    #[test]
    fn controllers_of_nest_have_paths_and_streams() {
        let text = "@Controller('cats')\nexport class Cats {\n@Get()\nall() {}\n@Sse('/events')\nevents() {}\n}\n";
        let found = controllers(&[Module::new("cats.ts", text)]);
        assert_eq!((found[0].path.as_str(), found[0].streams), ("/cats", false));
        assert_eq!((found[1].path.as_str(), found[1].streams), ("/cats/events", true));
    }
}
