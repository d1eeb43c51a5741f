//! The routes of frameworks whose files are the routes: Next.js, Nuxt and Nitro.

use super::body;
use super::module::Module;
use super::package::Package;
use super::routes::streams;
use crate::init::route::Route;
use crate::init::tree::relative;

const METHODS: [&str; 3] = ["GET", "POST", "PUT"];

pub(super) fn routes(package: &Package, modules: &[Module]) -> Vec<Route> {
    modules.iter().flat_map(|module| next(package, module).into_iter().chain(nitro(package, module))).collect()
}

/// `app/api/chat/route.ts` with a function for each method, and `app/page.tsx`.
fn next(package: &Package, module: &Module) -> Vec<Route> {
    let path = relative(&module.path, &package.directory).unwrap_or_default();
    let path = path.strip_prefix("src/").unwrap_or(path);
    let Some(inside) = path.strip_prefix("app/") else { return Vec::new() };
    let (directory, file) = inside.rsplit_once('/').unwrap_or(("", inside));
    let stem = file.split('.').next().unwrap_or_default();
    // Groups in parentheses are not in the path.
    let parts = directory.split('/').filter(|part| !part.is_empty() && !part.starts_with('('));
    let parts: Vec<String> = parts.map(|part| part.replace('[', "{").replace(']', "}")).collect();
    let address = parts.join("/");
    match stem {
        "page" if !address.contains('{') => vec![Route::new("get", &address)],
        "route" => {
            let source = &module.source;
            let of_method = |method: &&str| {
                let body = module.function(method)?;
                let mut route = Route::new(method, &address);
                route.streams = streams(module, source.all());
                body::read(&mut route, module, body);
                Some(route)
            };
            METHODS.iter().filter_map(of_method).collect()
        }
        _ => Vec::new(),
    }
}

/// `routes/index.ts` and `server/api/chat.post.ts`.
fn nitro(package: &Package, module: &Module) -> Option<Route> {
    let path = relative(&module.path, &package.directory)?;
    let path = path.strip_prefix("src/").unwrap_or(path);
    let path = path.strip_prefix("server/").unwrap_or(path);
    let inside = path.strip_prefix("routes/").or_else(|| path.starts_with("api/").then_some(path))?;
    let mut parts = inside.rsplit_once('.')?.0.to_owned();
    let mut method = "get".to_owned();
    if let Some((start, end)) = parts.clone().rsplit_once('.') {
        (parts, method) = (start.to_owned(), end.to_owned());
    }
    let address = parts.strip_suffix("index").unwrap_or(&parts).trim_end_matches('/');
    let address = address.replace('[', "{").replace(']', "}");
    let source = &module.source;
    let mut route = Route::new(&method, &address);
    route.streams = streams(module, source.all());
    route.is_unclear = source.has_word(source.all(), &["readBody", "readValidatedBody", "getQuery"]);
    Some(route)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::Tree;

    #[test]
    fn files_are_routes() {
        let package = Package::read(&Tree::of(&[("package.json", "{}")]), "").unwrap();
        let stream = "export async function POST(request) { const { prompt } = await request.json();\n\
                      return new Response(new ReadableStream({})) }";
        for (path, text, method, address, streams) in [
            ("app/api/chat/route.ts", stream, "POST", "/api/chat", true),
            ("src/app/(site)/page.tsx", "", "GET", "/", false),
            ("routes/index.ts", "", "GET", "/", false),
            ("server/api/chat.post.ts", "createEventStream(e)", "POST", "/api/chat", true),
        ] {
            let found = routes(&package, &[Module::new(path, text)]);
            let found: Vec<_> =
                found.iter().map(|route| (route.method.as_str(), route.path.as_str(), route.streams)).collect();
            assert_eq!(found, [(method, address, streams)], "{path}");
        }
    }
}
