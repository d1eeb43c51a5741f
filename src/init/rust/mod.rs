//! Crates: functions of lambda_runtime and lambda_http, and servers of axum, actix, Rocket, warp and others.

mod crates;
mod leptos;
mod loco;
mod module;
mod port;
mod requests;
mod routes;
mod signs;

use super::found::{Found, Function};
use super::route::{Check, CheckFound, Route, check_for, unclear_stream};
use super::source::TEXT;
use super::tree::{Tree, join};
use crates::{Crate, LAMBDA};
use module::{Module, modules};

/// Crates whose `main` is a server.
const SERVERS: [(&str, &str); 12] = [
    ("leptos", "a Leptos app"),
    (loco::PACKAGE, "a Loco app"),
    ("axum", "an axum server"),
    ("actix-web", "an actix-web server"),
    ("rocket", "a Rocket server"),
    ("warp", "a warp server"),
    ("poem", "a Poem server"),
    ("salvo", "a Salvo server"),
    ("tide", "a Tide server"),
    ("ntex", "an ntex server"),
    ("hyper", "a hyper server"),
    ("rmcp", "an MCP server"),
];
/// What serves files of the crate's directory, by the first string that it gets.
const FILES: [&str; 6] = ["ServeDir", "ServeFile", "Files", "FileServer", "Tera", "StaticFilesEndpoint"];

/// The servers and functions of all crates.
pub(super) fn find(tree: &Tree) -> Vec<Found> {
    let crates = tree.directories_with("Cargo.toml").into_iter().filter_map(|directory| Crate::read(tree, directory));
    crates.filter_map(|of| described(tree, &of)).collect()
}

fn described(tree: &Tree, of: &Crate) -> Option<Found> {
    let modules = modules(tree, &of.directory);
    let is_lambda = LAMBDA.iter().any(|name| of.needs(name));
    let server = SERVERS.iter().find(|(name, _)| of.needs(name));
    let is_served = modules.iter().any(|module| signs::is_server(&module.source));
    let what = match server {
        _ if is_lambda => "a Lambda function in Rust",
        Some((_, what)) if is_served => what,
        _ => return None,
    };
    let (bin, others) = of.binary(&modules, is_lambda)?;
    let routes = routes::routes(&modules);
    let mut function = Function {
        name: super::name::valid_name(of.function_name(), "api"),
        is_crate: true,
        is_server: !is_lambda,
        bin: (!others.is_empty()).then(|| bin.clone()),
        include: files(tree, of, &modules),
        ..Function::default()
    };
    if is_lambda {
        let streams = modules.iter().any(|module| signs::is_streaming_function(&module.source));
        function.is_buffered = !streams;
        function.check = lambda_check(&modules, &routes, streams);
    } else {
        function.port = port::port(tree, of, &modules);
        function.check = mcp_path(&modules).map_or_else(|| check_for(&routes), CheckFound::Mcp);
    }
    let mut notes: Vec<String> = Vec::new();
    leptos::add(&mut function, &mut notes, of, &modules, &bin);
    loco::add(&mut function, &mut notes, tree, of, &modules, &bin);
    if !others.is_empty() {
        notes.push(format!("the manifest deploys the binary `{bin}`; others: {}", crate::text::list::quoted(others)));
    }
    notes.extend(unclear_stream(&routes).map(|route| {
        format!("`{route}` streams, but the source does not show all of the request that it needs: complete `check`")
    }));
    Some(Found { directory: of.directory.clone(), what: what.to_owned(), function, notes })
}

/// A function without routes has one response, unless it looks at the path.
fn lambda_check(modules: &[Module], routes: &[Route], streams: bool) -> CheckFound {
    if !routes.is_empty() {
        return check_for(routes);
    }
    let has_paths = modules.iter().any(|module| {
        module.source.all().any(|at| module.source.text(at).is_some_and(|text| text.starts_with('/') && text.len() > 1))
    });
    let check =
        Check { method: "GET".to_owned(), path: "/".to_owned(), streams: streams && !has_paths, ..Check::default() };
    CheckFound::Complete(check)
}

/// Where an MCP server is: `nest_service("/mcp", …)`.
fn mcp_path(modules: &[Module]) -> Option<String> {
    modules.iter().filter(|module| module.source.has_word(module.source.all(), &["StreamableHttpService"])).find_map(
        |module| {
            let source = &module.source;
            let at = source.matches(source.all(), &["nest_service", "(", TEXT]).into_iter().next()?;
            source.text(at + 2).map(str::to_owned)
        },
    )
}

/// The directories that a server reads files from at run time.
fn files(tree: &Tree, of: &Crate, modules: &[Module]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for module in modules {
        let source = &module.source;
        for at in source.all().filter(|at| source.word(*at).is_some_and(|word| FILES.contains(&word))) {
            let texts = (at..at + 9).filter_map(|at| source.text(at));
            let names = texts.map(|text| text.trim_start_matches("./").split(['/', '*']).next().unwrap_or_default());
            for name in names.filter(|name| !name.is_empty() && *name != "src") {
                let exists = tree.below(&join(&of.directory, name)).next().is_some();
                if exists && !found.iter().any(|known| known == name) {
                    found.push(name.to_owned());
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::init::tests::has;

    #[test]
    fn a_leptos_app_gets_its_feature_its_site_and_its_address() {
        let cargo = |more: &str| {
            format!(
                "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n[dependencies]\naxum = {{ version = \"0.8\", optional = true }}\n\
                 [package.metadata.leptos]\nsite-addr = \"127.0.0.1:3000\"\nbin-features = [\"ssr\"]\n{more}"
            )
        };
        let main = |from: &str| {
            format!(
                "async fn main() {{ let c = get_configuration({from}); axum::serve(TcpListener::bind(&c.addr).await, app()).await }}"
            )
        };
        let usual = [
            "crate = \".\"",
            "run = \"LEPTOS_SITE_ADDR=127.0.0.1:$PORT exec shop\"",
            "include = [\"target/site\"]",
            "environment = { LEPTOS_OUTPUT_NAME = \"shop\" }",
            "build = { features = [\"ssr\"], default_features = false, command = \"cargo leptos build --release --frontend-only\" }",
        ];
        has(
            &[("Cargo.toml", &cargo("")), ("src/main.rs", &main("None"))],
            &usual,
            &["cargo install --locked cargo-leptos"],
        );
        let own = "output-name = \"web\"\nsite-root = \"site\"\nsite-pkg-dir = \"files\"\nbin-default-features = true\nhash-files = true\n";
        has(
            &[("Cargo.toml", &cargo(own)), ("src/main.rs", &main("Some(\"Cargo.toml\")"))],
            &[
                "include = [\"site\", \"Cargo.toml\"]",
                "environment = { LEPTOS_OUTPUT_NAME = \"web\", LEPTOS_SITE_ROOT = \"site\", LEPTOS_SITE_PKG_DIR = \"files\" }",
                "build = { features = [\"ssr\"], command = \"cargo leptos build --release --frontend-only\" }",
            ],
            &["cargo install --locked cargo-leptos", "hash-files = false"],
        );
    }

    #[test]
    fn a_loco_app_gets_its_command_its_configuration_and_its_variables() {
        let cargo = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\ndefault-run = \"shop-cli\"\n[dependencies]\nloco-rs = \"1\"\n\
                     axum = \"0.8\"\n[[bin]]\nname = \"shop-cli\"\npath = \"src/bin/main.rs\"\n";
        let main = "async fn main() -> Result<()> { cli::main::<App>().await }";
        let routes = "fn routes(_: &AppContext) -> AppRoutes { AppRoutes::with_default_routes() }";
        let configuration = "server:\n  port: <%= get_env(name=\"PORT\", default=\"5150\") %>\n  host: <%= get_env(name=\"HOST\") %>\n  # get_env(name=\"OLD\")\n\
                             uri: {{ get_env(name=\"DATABASE_URL\") }}\n";
        let files = |configuration: &'static str| {
            [
                ("Cargo.toml", cargo),
                ("src/bin/main.rs", main),
                ("src/app.rs", routes),
                ("config/production.yaml", configuration),
                ("assets/views/home.html", ""),
            ]
        };
        has(
            &files(configuration),
            &[
                "run = \"shop-cli start\"",
                "port = 8080",
                "include = [\"config\", \"assets\"]",
                "environment = { LOCO_ENV = \"production\" }",
                "check = { path = \"/_ping\" }",
            ],
            &["`HOST`, `DATABASE_URL`"],
        );
        has(&files("server:\n  port: 5150\n"), &["port = 5150"], &[]);
        // Without it, Loco uses the configuration for development.
        has(&files("")[..3], &["run = \"shop-cli start\"", "port = 8080"], &[]);
    }

    #[test]
    fn crates_are_servers_or_functions() {
        let cargo = |dependencies: &str| {
            format!("[package]\nname = \"web\"\nversion = \"0.1.0\"\n[dependencies]\n{dependencies}")
        };
        let axum = cargo("axum = \"0.8\"\n");
        let sse = "fn app() { Router::new().route(\"/sse\", get(sse)) }\nasync fn sse(TypedHeader(a): TypedHeader<UserAgent>) -> Sse<S> {}\n\
               async fn main() { axum::serve(TcpListener::bind(\"127.0.0.1:3000\").await, app()).await }\n";
        has(
            &[("Cargo.toml", &axum), ("src/main.rs", sse)],
            &[
                "[functions.web]",
                "crate = \".\"",
                "port = 3000",
                "check = { path = \"/sse\", headers = { user-agent = \"lamstream\" }, streams = true }",
            ],
            &[],
        );
        let lambda = cargo("lambda_http.workspace = true\n");
        let streaming = "async fn main() { run_with_streaming_response(service_fn(f)).await }";
        has(
            &[("Cargo.toml", &lambda), ("src/main.rs", streaming)],
            &["url = { auth = \"none\" }", "check = { path = \"/\", streams = true }"],
            &[],
        );
        has(
            &[("Cargo.toml", &lambda), ("src/main.rs", "async fn main() { run(service_fn(f)).await }")],
            &["url = { auth = \"none\", mode = \"buffered\" }", "check = { path = \"/\" }"],
            &[],
        );
        let rocket = cargo("rocket = \"0.5\"\n");
        let routes = "#[get(\"/<name>\")]\nfn hi(name: &str) {}\n#[get(\"/\")]\nfn index() {}\n#[launch]\nfn rocket() -> _ { rocket::build().mount(\"/hello\", routes![index]) }";
        has(
            &[("Cargo.toml", &rocket), ("src/main.rs", routes)],
            &["port = 8000", "check = { path = \"/hello/\" }"],
            &[],
        );
        let two = cargo("axum = \"0.8\"\n");
        let serve = "async fn main() { axum::serve(l, app()).await } fn l() { std::env::var(\"PORT\") }";
        has(
            &[("Cargo.toml", &two), ("src/main.rs", "fn main() {}"), ("src/bin/server.rs", serve)],
            &["bin = \"server\"", "port = 8080"],
            &["others: `web`"],
        );
        // Files that are read at run time.
        let statics =
            "async fn main() { axum::serve(l(\"PORT\"), r.fallback_service(ServeDir::new(\"./assets\"))).await }";
        has(&[("Cargo.toml", &axum), ("src/main.rs", statics), ("assets/a.css", "")], &["include = [\"assets\"]"], &[]);
    }
}
