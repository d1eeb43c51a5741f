//! Packages of Node.js, and servers without one.

use super::has;

const LISTEN: &str =
    "const app = require('express')();\napp.get('/', (req, res) => res.send(''));\napp.listen(process.env.PORT);\n";
/// A package.json, files, and lines of the manifest.
type Layout = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const PACKAGES: &[Layout] = &[
    (
        r#"{"dependencies":{"express":"5"},"scripts":{"start":"node server.js"}}"#,
        &[("server.js", LISTEN)],
        &["run = \"node server.js\""],
    ),
    (r#"{"dependencies":{"express":"5"},"main":"server.js"}"#, &[("server.js", LISTEN)], &["run = \"node server.js\""]),
    (
        r#"{"dependencies":{"express":"5"},"scripts":{"start":"NODE_ENV=production node server"}}"#,
        &[("server.js", LISTEN)],
        &["run = \"NODE_ENV=production node server\""],
    ),
    (
        r#"{"dependencies":{"express":"5"},"devDependencies":{"nodemon":"3"},"scripts":{"start":"nodemon server.js"}}"#,
        &[("server.js", LISTEN)],
        &["run = \"node server.js\""],
    ),
    (
        r#"{"dependencies":{"express":"5"},"scripts":{"build":"tsc","start":"node dist/index.js"}}"#,
        &[("src/index.ts", LISTEN), ("package-lock.json", "")],
        &["run = \"node dist/index.js\"", "build = { command = \"npm ci && npm run build\" }"],
    ),
    (
        r#"{"dependencies":{"express":"5"},"devDependencies":{"tsx":"4"},"scripts":{"start":"tsx src/index.ts"}}"#,
        &[("src/index.ts", LISTEN)],
        &["run = \"node dist/server.mjs\""],
    ),
    (
        r#"{"dependencies":{"express":"5"},"scripts":{"start":"node ./bin/www"}}"#,
        &[("bin/www", LISTEN)],
        &["run = \"node ./bin/www\""],
    ),
    (
        r#"{"dependencies":{"@nestjs/core":"11"},"scripts":{"build":"nest build","start":"nest start","start:prod":"node dist/main"}}"#,
        &[
            ("src/main.ts", "await app.listen(3000);"),
            ("src/app.controller.ts", "@Controller()\nclass A { @Get()\nx() {} }"),
        ],
        &[
            "run = \"node dist/main\"",
            "port = 3000",
            "build = { command = \"npm install && npm run build\" }",
            "check = { path = \"/\" }",
        ],
    ),
    (
        r#"{"devDependencies":{"nitro":"3"},"scripts":{"build":"nitro build"}}"#,
        &[("routes/index.ts", "")],
        &[
            "web = \".output\"",
            "run = \"node server/index.mjs\"",
            "dependencies = \"none\"",
            "build = { command = \"npm install && npm run build\", directory = \".\" }",
        ],
    ),
    (
        r#"{"dependencies":{"next":"16"},"scripts":{"build":"next build"}}"#,
        &[("next.config.mjs", "export default { output: 'standalone' }"), ("app/page.tsx", ""), ("public/a.txt", "")],
        &[
            "web = \".next/standalone\"",
            "run = \"node server.js\"",
            "build = { command = \"npm install && npm run build && cp -r public .next/standalone/ && cp -r .next/static .next/standalone/.next/\", directory = \".\" }",
        ],
    ),
    (
        r#"{"scripts":{"start":"bun run index.ts"},"dependencies":{"hono":"4"}}"#,
        &[("index.ts", "export default { port: 3000, fetch: app.fetch }")],
        &[
            "runtime = \"provided.al2023\"",
            "run = \"./server\"",
            "build = { command = \"bun install && bun build --compile --outfile server index.ts\" }",
            "port = 3000",
        ],
    ),
];

#[test]
fn packages_of_node_are_built_and_started_as_their_scripts_say() {
    for &(json, files, lines) in PACKAGES {
        let all: Vec<_> = files.iter().copied().chain([("package.json", json)]).collect();
        has(&all, lines, &[]);
    }
}

#[test]
fn a_server_without_a_package_is_started_as_it_is() {
    let server = "import { createServer } from 'node:http';\ncreateServer(f).listen(4000);\n";
    has(&[("server.mjs", server)], &["run = \"node server.mjs\"", "port = 4000"], &[]);
    let server = "const koa = require('koa');\nnew koa().listen(4000);\n";
    has(&[("app.js", server)], &[], &["`koa`"]);
}

#[test]
fn a_stream_of_express_gets_the_request_that_it_reads() {
    let server = "import express from 'express';\nconst app = express();\n\
        app.post('/chat', async (req, res) => { const { message } = req.body; res.set('content-type', 'text/event-stream'); });\n\
        app.listen(3000);\n";
    let json = r#"{"type":"module","dependencies":{"express":"5"},"scripts":{"start":"node app.js"}}"#;
    let check = "check = { method = \"POST\", path = \"/chat\", headers = { content-type = \"application/json\" }, body = '{\"message\":\"hello\"}', streams = true }";
    has(&[("package.json", json), ("app.js", server)], &[check, "port = 3000"], &[]);
}
