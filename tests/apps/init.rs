//! What `lamstream init` writes, deployed into the local cloud: each template, with its own tests, and apps as it finds
//! them.

use crate::examples::{cache, streams};
use crate::support::bench::{Bench, said};
use crate::support::python::{done, found, installed};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const BODY: &str = r#"{"message": "hello"}"#;
/// A call of the template's tool that asks for its progress.
const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"chat","arguments":{"message":"hello"},"_meta":{"progressToken":1}}}"#;

/// A directory in which nothing is yet.
fn blank() -> Bench {
    let bench = Bench::new("");
    fs::remove_file(bench.path("deploy.toml")).unwrap();
    bench
}

/// lamstream in the directory of the app.
fn run(bench: &Bench, arguments: &[&str]) -> Output {
    let mut command = bench.command(arguments);
    command.env("LAMSTREAM_CACHE_DIR", cache()).envs(std::env::var_os("HOME").map(|home| ("HOME", home)));
    // Crates of all tests and runs are built once.
    command.env("CARGO_TARGET_DIR", target()).current_dir(bench.path("app"));
    command.output().unwrap()
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("init-crates")
}

fn good(bench: &Bench, arguments: &[&str]) -> String {
    let output = run(bench, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Sends a body to the URL, and reads the response, which must stream.
fn posted(url: &str, path: &str, body: &str) -> String {
    let mut child = Command::new("curl")
        .args(["--silent", "--no-buffer", "-H", "content-type: application/json", "-H"])
        .args(["accept: application/json, text/event-stream", "-d", body])
        .arg(format!("{}{path}", url.trim()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = streams(child.stdout.as_mut().unwrap(), "You");
    assert!(child.wait().unwrap().success());
    text
}

/// Writes a template, runs its tests, deploys it, edits it, deploys it again, and destroys it.
fn lives(name: &str, source: &str, [path, body]: [&str; 2], test: impl FnOnce(&Path) -> Option<()>) {
    let bench = blank();
    let written = bench.run(&["init", "app", "--template", name]);
    assert!(written.status.success(), "{}", said(&written));
    if test(&bench.path("app")).is_none() {
        return;
    }
    let url = good(&bench, &["deploy", "--local"]);
    let answer = posted(&url, path, body);
    assert!(answer.contains("said:"), "{answer}");
    assert_eq!(good(&bench, &["deploy", "--local"]), url, "a second deploy has nothing to do");
    let text = fs::read_to_string(bench.path("app").join(source)).unwrap();
    fs::write(bench.path("app").join(source), text.replace("You said", "You wrote")).unwrap();
    assert_eq!(good(&bench, &["deploy", "--local"]), url);
    let answer = posted(&url, path, body);
    assert!(answer.contains("wrote"), "{answer}");
    good(&bench, &["destroy", "--local", "--yes"]);
    assert!(good(&bench, &["status", "--local"]).contains("not deployed"));
}

fn cargo_test(directory: &Path) -> Option<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--quiet"]).current_dir(directory).env("CARGO_TARGET_DIR", target());
    found(done(&mut cargo))?;
    let mut fmt = Command::new("cargo");
    done(fmt.args(["fmt", "--check"]).current_dir(directory)).unwrap();
    Some(())
}

fn npm_test(directory: &Path) -> Option<()> {
    let install = ["install", "--silent", "--no-audit", "--no-fund"];
    found(done(Command::new("npm").args(install).current_dir(directory)))?;
    done(Command::new("npm").arg("test").current_dir(directory)).unwrap();
    Some(())
}

fn pytest(directory: &Path) -> Option<()> {
    let list = fs::read_to_string(directory.join("requirements.txt")).unwrap();
    let name = if list.contains("mcp") { "init-mcp" } else { "init-fastapi" };
    let python = found(installed(name, &format!("{list}pytest\n"), &[]))?.join("python");
    let mut pytest = Command::new(python);
    done(pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).current_dir(directory)).unwrap();
    Some(())
}

#[test]
fn the_template_rust_lives() {
    lives("rust", "src/main.rs", ["chat", BODY], cargo_test);
}

#[test]
fn the_template_rust_axum_lives() {
    lives("rust-axum", "src/main.rs", ["chat", BODY], cargo_test);
}

#[test]
fn the_template_fastapi_lives() {
    lives("fastapi", "main.py", ["chat", BODY], pytest);
}

#[test]
fn the_template_express_lives() {
    lives("express", "app.js", ["chat", BODY], npm_test);
}

#[test]
fn the_template_hono_lives() {
    lives("hono", "app.js", ["chat", BODY], npm_test);
}

#[test]
fn the_template_mcp_python_lives() {
    lives("mcp-python", "server.py", ["mcp", CALL], pytest);
}

/// Writes files, has `init` find the app, and deploys it. Returns the manifest.
fn deployed(files: &[(&str, &str)]) -> String {
    let bench = blank();
    for (name, text) in files {
        bench.write_all(&format!("app/{name}"), text);
    }
    is_deployed(&bench)
}

fn is_deployed(bench: &Bench) -> String {
    good(bench, &["init"]);
    let manifest = fs::read_to_string(bench.path("app/deploy.toml")).unwrap();
    let output = run(bench, &["deploy", "--local"]);
    assert!(output.status.success(), "{manifest}\n{}", said(&output));
    manifest
}

/// Copies a directory of this repository as it is, except for what init writes.
fn copied(from: &str) -> Bench {
    let bench = blank();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(from);
    let mut open = vec![(from, bench.path("app"))];
    while let Some((from, to)) = open.pop() {
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() && name != "target" && name != "node_modules" {
                open.push((path, to.join(name)));
            } else if path.is_file() && name != "deploy.toml" {
                fs::copy(path, to.join(name)).unwrap();
            }
        }
    }
    bench
}

/// It says that it can be copied.
#[test]
fn the_repositorys_function_can_be_copied_tested_and_deployed() {
    let bench = copied("function");
    if cargo_test_of(&bench.path("app")).is_none() {
        return;
    }
    let manifest = is_deployed(&bench);
    assert!(manifest.contains("crate = \".\"") && !manifest.contains("buffered"), "{manifest}");
}

fn cargo_test_of(directory: &Path) -> Option<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--quiet", "--locked"]).current_dir(directory).env("CARGO_TARGET_DIR", target());
    found(done(&mut cargo))
}

#[test]
fn the_examples_are_found_as_their_manifests_say() {
    for (example, lines) in [
        ("examples/axum-web", &["port = 8080", "streams = true", "path = \"/count\""][..]),
        ("examples/express-sse", &["run = \"node server.mjs\"", "path = \"/events\"", "streams = true"]),
        (
            "examples/fastapi-chat",
            &["main:app", "path = \"/stream/chat\", query = { query = \"hello\" }, streams = true"],
        ),
    ] {
        let manifest = is_deployed(&copied(example));
        assert!(lines.iter().all(|line| manifest.contains(line)), "{manifest}");
    }
}

#[test]
fn other_frameworks_of_python_are_deployed_as_they_are_found() {
    let flask = "import time\nfrom flask import Flask, Response\n\ndef create_app():\n    app = Flask(__name__)\n\n    @app.route('/words')\n\
                 \x20   def words():\n        def parts():\n            for word in 'a b c'.split():\n                time.sleep(0.1)\n                yield word\n\
                 \x20       return Response(parts(), mimetype='text/event-stream')\n    return app\n";
    let manifest = deployed(&[("shop/__init__.py", flask), ("requirements.txt", "flask==3.1.0\ngunicorn==23.0.0\n")]);
    assert!(
        manifest.contains("'shop:create_app()'") && manifest.contains("path = \"/words\", streams = true"),
        "{manifest}"
    );
    let tornado = "import tornado.ioloop, tornado.web\n\nclass Root(tornado.web.RequestHandler):\n    def get(self):\n        self.write('hello')\n\n\
                   app = tornado.web.Application([(r'/', Root)])\napp.listen(8123)\ntornado.ioloop.IOLoop.current().start()\n";
    let manifest = deployed(&[("serve.py", tornado), ("requirements.txt", "tornado==6.5.2\n")]);
    assert!(manifest.contains("port = 8123") && manifest.contains("check = { path = \"/\" }"), "{manifest}");
    let server = "from mcp.server.mcpserver import MCPServer\n\nmcp = MCPServer('shop')\n\n@mcp.tool()\ndef add(a: int, b: int) -> int:\n    return a + b\n\n\
                  if __name__ == '__main__':\n    mcp.run()\n";
    let manifest = deployed(&[
        ("server.py", server),
        ("pyproject.toml", "[project]\nname = 'shop'\nversion = '1'\ndependencies = ['mcp>=2,<3']\n"),
    ]);
    assert!(manifest.contains("mcp.streamable_http_app(stateless_http=True"), "{manifest}");
}

#[test]
fn other_servers_of_node_are_deployed_as_they_are_found() {
    let server = "const http = require('http');\nconst port = 8124;\n\
                  http.createServer((request, response) => response.end('hello')).listen(port, '127.0.0.1');\n";
    let manifest = deployed(&[("index.js", server), ("package.json", "{\"name\": \"plain\", \"version\": \"1.0.0\"}")]);
    assert!(manifest.contains("port = 8124") && manifest.contains("run = \"node index.js\""), "{manifest}");
    // TypeScript that nothing compiles is bundled.
    let fastify = "import Fastify from 'fastify';\nconst app = Fastify();\napp.get('/hello', async (): Promise<string> => 'hello');\n\
                   app.listen({ port: Number(process.env.PORT) });\n";
    let package = r#"{"name": "ts", "type": "module", "dependencies": {"fastify": "5.4.0"}, "devDependencies": {"esbuild": "0.25.10"}, "scripts": {"start": "tsx src/index.ts"}}"#;
    let manifest = deployed(&[("src/index.ts", fastify), ("package.json", package)]);
    assert!(
        manifest.contains("esbuild src/index.ts") && manifest.contains("check = { path = \"/hello\" }"),
        "{manifest}"
    );
}
