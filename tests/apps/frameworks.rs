//! Real frameworks behind real adapters: which of them end a response without a body, and whether a check notices.

use crate::examples::cache;
use crate::support::bench::{Bench, said};
use crate::support::python::{done, found};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// AWS's runtime client for Node.js, and adapters for streaming, in versions before and after their authors mended
/// responses without a body. serverless-adapter has no mended version yet.
const HANDLERS: &str = "aws-lambda-ric@3.3.0 hono-old@npm:hono@4.1.3 hono-new@npm:hono@4.12.0 srvx-old@npm:srvx@0.11.15 \
                        srvx-new@npm:srvx@0.11.16 @h4ad/serverless-adapter@4.4.0 express@4.21.2";

/// Replaces the client's part in C++, which needs a compiler and is not used with the client's other way to ask.
const STUB: &str = "const { Module } = require('module');\n\
                    Module._extensions['.node'] = (module) => { module.exports = { initializeClient() {} }; };\n";

/// A redirect, a 204 and a text in Hono.
const HONO: &str = "import { Hono } from 'HOME/hono-WHICH/dist/index.js';\n\
    import { streamHandle } from 'HOME/hono-WHICH/dist/adapter/aws-lambda/index.js';\n\
    const app = new Hono();\n\
    app.get('/redirect', (context) => context.redirect('/elsewhere', 302));\n\
    app.get('/empty', (context) => context.body(null, 204));\n\
    app.get('/text', (context) => context.text('hello'));\n\
    export const handler = streamHandle(app);\n";

/// The same in srvx, the server of h3 and Nitro.
const SRVX: &str = "import { handleLambdaEventWithStream } from 'HOME/srvx-WHICH/dist/adapters/aws-lambda.mjs';\n\
    const answers = { '/redirect': [null, 302, { location: '/elsewhere' }], '/empty': [null, 204, {}], '/text': ['hello', 200, {}] };\n\
    const answer = (request) => {\n\
      const [body, status, headers] = answers[new URL(request.url).pathname];\n\
      return new Response(body, { status, headers });\n\
    };\n\
    export const handler = awslambda.streamifyResponse((event, stream, context) =>\n\
      handleLambdaEventWithStream(answer, event, stream, context));\n";

/// The same in Express, after an `await`, as in an app that asks its database first.
const EXPRESS: &str = "import { createRequire } from 'module';\n\
    const require = createRequire('HOME/');\n\
    const express = require('express');\n\
    const { ServerlessAdapter } = require('@h4ad/serverless-adapter');\n\
    const { ExpressFramework } = require('@h4ad/serverless-adapter/lib/frameworks/express');\n\
    const { AwsStreamHandler } = require('@h4ad/serverless-adapter/lib/handlers/aws');\n\
    const { DummyResolver } = require('@h4ad/serverless-adapter/lib/resolvers/dummy');\n\
    const { ApiGatewayV2Adapter } = require('@h4ad/serverless-adapter/lib/adapters/aws');\n\
    const app = express();\n\
    const later = (answer) => async (_, response) => { await new Promise((go) => setTimeout(go, 20)); answer(response); };\n\
    app.get('/redirect', later((response) => response.status(302).set('location', '/elsewhere').send()));\n\
    app.get('/empty', later((response) => response.status(204).send()));\n\
    app.get('/text', later((response) => response.send('hello')));\n\
    export const handler = ServerlessAdapter.new(app).setFramework(new ExpressFramework())\n\
      .setHandler(new AwsStreamHandler()).setResolver(new DummyResolver()).addAdapter(new ApiGatewayV2Adapter()).build();\n";

/// The packages, installed once under `target/`.
fn handlers() -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("frameworks");
    fs::create_dir_all(&home).map_err(|error| error.to_string())?;
    let lock = File::create(home.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let ready = home.join("ready");
    if fs::read_to_string(&ready).ok().as_deref() != Some(HANDLERS) {
        fs::write(home.join("package.json"), "{}").map_err(|error| error.to_string())?;
        fs::write(home.join("stub.cjs"), STUB).map_err(|error| error.to_string())?;
        let install = ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"];
        let mut npm = Command::new("npm");
        done(npm.args(install).args(HANDLERS.split_whitespace()).current_dir(&home))?;
        let native = home.join("node_modules/aws-lambda-ric/dist/rapid-client.node");
        fs::write(native, "").map_err(|error| error.to_string())?;
        fs::write(&ready, HANDLERS).map_err(|error| error.to_string())?;
    }
    Ok(home)
}

/// A handler on AWS's runtime client, with a check of this path, which must have this status.
fn with_handler(home: &Path, code: &str, path: &str, status: u16) -> Bench {
    let bench = Bench::new(&format!(
        "app = \"shop\"\n[functions.site]\npackage = \"site\"\ntimeout = 20\nurl = {{ auth = \"none\" }}\n\
         check = {{ path = \"{path}\", expect_status = {status}, ends_within = \"5s\" }}\n"
    ));
    let (stub, client) = (home.join("stub.cjs"), home.join("node_modules/aws-lambda-ric/bin/index.mjs"));
    let path = std::env::var_os("PATH").unwrap();
    let mut nodes = std::env::split_paths(&path).map(|directory| directory.join("node"));
    let node = nodes.find(|node| node.is_file()).expect("npm ran, so there is a node");
    let (node, stub, client) = (node.display(), stub.display(), client.display());
    bench.write_all("site/index.mjs", &code.replace("HOME", &home.join("node_modules").display().to_string()));
    bench.write_all(
        "site/bootstrap",
        &format!(
            "#!/bin/sh\nAWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1=true exec {node} --require {stub} {client} index.handler\n"
        ),
    );
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(bench.path("site/bootstrap"), executable).unwrap();
    bench
}

/// Deploys without a check, so that everything that follows is `verify`'s.
fn verify(bench: &Bench) -> (Value, i32) {
    let deployed = bench.run(&["deploy", "--local", "--yes", "--no-verify"]);
    assert!(deployed.status.success(), "{}", said(&deployed));
    bench.json(&["verify", "--local", "--version", "1"])
}

#[test]
fn adapters_that_do_not_end_a_response_without_a_body_are_found_out() {
    let Some(home) = found(handlers()) else { return };
    let hono = |which: &str| HONO.replace("WHICH", which);
    let srvx = |which: &str| SRVX.replace("WHICH", which);
    // Without a write, the runtime client never sends the head: the client gets an empty 200.
    let headless =
        [Some("the response has status 200, expected 302"), Some("the response has status 200, expected 204")];
    let endless = [None, Some("the response has no body and does not end")];
    for (name, code, [redirect, empty]) in [
        ("hono 4.1.3", hono("old"), headless),
        ("hono 4.12.0", hono("new"), [None; 2]),
        ("srvx 0.11.15", srvx("old"), headless),
        ("srvx 0.11.16", srvx("new"), [None; 2]),
        ("serverless-adapter 4.4.0", EXPRESS.to_owned(), endless),
    ] {
        for (path, status, wrong) in [("/text", 200, None), ("/redirect", 302, redirect), ("/empty", 204, empty)] {
            let bench = with_handler(&home, &code, path, status);
            let (document, code) = verify(&bench);
            let message = document["error"]["message"].as_str().unwrap_or_default();
            match wrong {
                None => assert_eq!((message, code), ("", 0), "{name} {path}: {document:#}"),
                Some(words) => assert!(code == 1 && message.contains(words), "{name} {path}: {document:#}"),
            }
        }
    }
}

/// Frameworks behind Lambda Web Adapter, each below its name.
const NODE: &str = "const http = require('http');\n\
    const { Hono } = require('hono');\n\
    const { getRequestListener } = require('@hono/node-server');\n\
    const pause = () => new Promise((go) => setTimeout(go, 100));\n\
    const apps = {};\n\
    for (const version of ['express4', 'express5']) {\n\
      const app = require(version)();\n\
      app.get('/redirect', (_, response) => response.redirect('/elsewhere'));\n\
      app.get('/empty', (_, response) => response.status(204).end());\n\
      app.get('/unchanged', (_, response) => response.status(304).end());\n\
      app.get('/text', (_, response) => response.send('hello'));\n\
      app.get('/stream', async (_, response) => { response.write('a'); await pause(); response.end('b'); });\n\
      apps[version] = app;\n\
    }\n\
    for (const version of ['fastify4', 'fastify5']) {\n\
      let listener;\n\
      const app = require(version)({ serverFactory: (handler) => { listener = handler; return http.createServer(handler); } });\n\
      app.get('/redirect', (_, reply) => reply.code(302).header('location', '/elsewhere').send());\n\
      app.get('/empty', (_, reply) => reply.code(204).send());\n\
      app.get('/unchanged', (_, reply) => reply.code(304).send());\n\
      app.get('/text', (_, reply) => reply.send('hello'));\n\
      app.get('/stream', async (_, reply) => { reply.hijack(); reply.raw.write('a'); await pause(); reply.raw.end('b'); });\n\
      apps[version] = (request, response) => app.ready().then(() => listener(request, response));\n\
    }\n\
    const hono = new Hono();\n\
    hono.get('/redirect', (context) => context.redirect('/elsewhere'));\n\
    hono.get('/empty', (context) => context.body(null, 204));\n\
    hono.get('/unchanged', (context) => context.body(null, 304));\n\
    hono.get('/text', (context) => context.text('hello'));\n\
    hono.get('/stream', () => new Response(new ReadableStream({ async start(out) {\n\
      const bytes = new TextEncoder();\n\
      out.enqueue(bytes.encode('a')); await pause(); out.enqueue(bytes.encode('b')); out.close();\n\
    } })));\n\
    apps.hono = getRequestListener(hono.fetch, { overrideGlobalObjects: false });\n\
    http.createServer((request, response) => {\n\
      const [, name, rest] = request.url.match(/^\\/(\\w*)(.*)$/);\n\
      if (!apps[name]) return response.end('ready');\n\
      request.url = rest || '/';\n\
      apps[name](request, response);\n\
    }).listen(process.env.PORT);\n";

const PYTHON: &str = "import asyncio\n\
    from fastapi import FastAPI\n\
    from fastapi.responses import RedirectResponse, Response, StreamingResponse\n\
    from starlette.applications import Starlette\n\
    from starlette.routing import Mount, Route\n\
    async def pieces():\n\
    \x20   yield 'a'\n\
    \x20   await asyncio.sleep(0.1)\n\
    \x20   yield 'b'\n\
    async def redirect(request=None): return RedirectResponse('/elsewhere', 302)\n\
    async def empty(request=None): return Response(status_code=204)\n\
    async def unchanged(request=None): return Response(status_code=304)\n\
    async def text(request=None): return Response('hello', media_type='text/plain')\n\
    async def stream(request=None): return StreamingResponse(pieces())\n\
    ends = {'/redirect': redirect, '/empty': empty, '/unchanged': unchanged, '/text': text, '/stream': stream}\n\
    def end_of(end):\n\
    \x20   async def answer(): return await end()\n\
    \x20   return answer\n\
    fast = FastAPI()\n\
    for path, end in ends.items(): fast.add_api_route(path, end_of(end), methods=['GET', 'HEAD'], response_model=None)\n\
    bare = Starlette(routes=[Route(path, end) for path, end in ends.items()])\n\
    app = Starlette(routes=[Mount('/fastapi', fast), Mount('/starlette', bare), Route('/', text)])\n";

/// The checks of a framework below this name.
fn checks(name: &str) -> String {
    let check = |rest: &str| format!("[[functions.site.check]]\n{}\n", rest.replace("NAME", name));
    [
        "path = \"/NAME/redirect\"\nexpect_status = 302",
        "path = \"/NAME/empty\"\nexpect_status = 204",
        "path = \"/NAME/unchanged\"\nexpect_status = 304",
        "path = \"/NAME/text\"\nmethod = \"HEAD\"",
        "path = \"/NAME/text\"\ncontains = \"hello\"\nexpect_headers = { content-type = \"text/*\" }",
        "path = \"/NAME/stream\"\nstreams = true\nends_with = \"b\"",
    ]
    .map(check)
    .concat()
}

/// Deploys a web app with the checks of all of its frameworks.
fn passes(frameworks: &[&str], keys: &str, files: &[(&str, &str)]) {
    let all: String = frameworks.iter().map(|name| checks(name)).collect();
    let bench = Bench::new(&format!(
        "app = \"shop\"\n[functions.site]\nweb = \"site\"\n{keys}url = {{ auth = \"none\" }}\n{all}"
    ));
    for (name, text) in files {
        bench.write_all(&format!("site/{name}"), text);
    }
    let mut command = bench.command(&["deploy", "--local", "--yes", "--output", "json"]);
    command.env("LAMSTREAM_CACHE_DIR", cache()).envs(std::env::var_os("HOME").map(|home| ("HOME", home)));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["functions"][0]["verified"]["streamed"], true, "{document:#}");
}

#[test]
fn frameworks_of_node_end_what_they_answer() {
    let package = json!({"name": "site", "version": "1.0.0", "dependencies": {
        "express4": "npm:express@4.21.2", "express5": "npm:express@5.1.0", "fastify4": "npm:fastify@4.29.0",
        "fastify5": "npm:fastify@5.4.0", "hono": "4.12.0", "@hono/node-server": "1.19.0"
    }});
    let keys = "runtime = \"nodejs22.x\"\nrun = \"node index.js\"\n";
    let files = [("index.js", NODE), ("package.json", &package.to_string())];
    passes(&["express4", "express5", "fastify4", "fastify5", "hono"], keys, &files);
}

#[test]
fn frameworks_of_python_end_what_they_answer() {
    let keys = "runtime = \"python3.13\"\nrun = \"python -m uvicorn main:app --port $PORT\"\n";
    let files = [("main.py", PYTHON), ("requirements.txt", "fastapi==0.115.6\nuvicorn==0.34.0\npydantic==2.10.4\n")];
    passes(&["fastapi", "starlette"], keys, &files);
}
