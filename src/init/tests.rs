//! What init finds in whole directories: layouts as people have them, and the lines of the manifest that matter.

use super::*;

/// The only app of a directory, and its manifest, which lamstream must be able to read.
fn only(files: &[(&str, &str)]) -> (Found, String) {
    let Survey::Apps(mut apps) = survey(&Tree::of(files), &Installed { python: vec![11], node: vec![22] }) else {
        panic!("no app in {files:?}")
    };
    assert_eq!(apps.len(), 1, "{apps:?}");
    let found = apps.remove(0);
    let text = manifest("shop", &found);
    let parsed = crate::manifest::parse(&text, None).map_err(|problems| problems.render("deploy.toml", &text));
    assert!(parsed.is_ok(), "{text}\n{}", parsed.unwrap_err());
    (found, text)
}

/// Asserts that the manifest has these lines, and that the notes contain these words.
fn has(files: &[(&str, &str)], lines: &[&str], notes: &[&str]) {
    let (found, text) = only(files);
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "no line `{line}`:\n{text}");
    }
    let told = found.notes.join("\n");
    assert!(notes.iter().all(|note| told.contains(note)), "{notes:?} in: {told}");
    assert!(!notes.is_empty() || told.is_empty(), "{told}");
}

const FASTAPI: &str = "from fastapi import FastAPI\nfrom fastapi.responses import StreamingResponse\napp = FastAPI()\n\n\
    @app.post('/chat/{room}')\nasync def chat(room: str, q: str, n: int = 3):\n    return StreamingResponse(words())\n";

#[test]
fn fastapi_with_a_stream() {
    has(
        &[("main.py", FASTAPI), ("requirements.txt", "fastapi\nuvicorn\n")],
        &[
            "web = \".\"",
            "runtime = \"python3.11\"",
            "run = \"python -m uvicorn --port $PORT main:app\"",
            "check = { method = \"POST\", path = \"/chat/hello\", query = { q = \"hello\" }, streams = true }",
        ],
        &[],
    );
}

#[test]
fn a_missing_server_or_list_is_named() {
    has(&[("main.py", FASTAPI), ("requirements.txt", "fastapi\n")], &[], &["add `uvicorn` to it"]);
    has(&[("main.py", FASTAPI)], &[], &["create `requirements.txt` with `fastapi` and `uvicorn`"]);
    let flask = "from flask import Flask\napp = Flask(__name__)\n@app.route('/')\ndef root(): return 'hello'\n";
    has(&[("app.py", flask), ("requirements.txt", "flask\n")], &["check = { path = \"/\" }"], &["add `gunicorn`"]);
}

#[test]
fn layouts_of_python_projects_start_the_right_module() {
    let app = "from fastapi import FastAPI\napp = FastAPI()\n";
    let list = ("requirements.txt", "fastapi\nuvicorn\n");
    let project = ("pyproject.toml", "[project]\nrequires-python='>=3.12'\ndependencies=['fastapi[standard]']\n");
    let run = |target: &str| format!("run = \"python -m uvicorn {target}\"");
    for (files, target) in [
        (&[("app/main.py", app), ("app/__init__.py", ""), list][..], "--port $PORT app.main:app"),
        (&[("app/main.py", app), list], "--port $PORT app.main:app"),
        // Files that import each other without the name of the directory.
        (
            &[("app/main.py", "import db\nfrom fastapi import FastAPI\napp = FastAPI()\n"), ("app/db.py", ""), list],
            "--app-dir app --port $PORT main:app",
        ),
        (&[("src/shop/api.py", app), ("src/shop/__init__.py", ""), project], "--app-dir src --port $PORT shop.api:app"),
        (&[("shop/__init__.py", app), project], "--port $PORT shop:app"),
        (&[("main.py", app), ("worker.py", app), ("tests/test_main.py", app), list], "--port $PORT main:app"),
    ] {
        let (_, text) = only(files);
        assert!(text.lines().any(|line| line == run(target)), "{target}:\n{text}");
    }
    let (found, text) = only(&[("api/main.py", app), ("api/requirements.txt", "fastapi\nuvicorn")]);
    assert!(found.directory == "api" && text.contains("web = \"api\""), "{text}");
    assert!(only(&[("main.py", app), project]).1.contains("runtime = \"python3.13\""));
}

#[test]
fn each_framework_of_python_has_its_server() {
    let flask = "from flask import Flask\ndef create_app():\n    app = Flask(__name__)\n    return app\n";
    for (files, run) in [
        (
            &[("shop/__init__.py", flask), ("requirements.txt", "flask\ngunicorn\n")][..],
            "python -m gunicorn --bind 127.0.0.1:$PORT 'shop:create_app()'",
        ),
        (
            &[("shop/__init__.py", flask), ("requirements.txt", "flask\nwaitress\n")],
            "python -m waitress --listen 127.0.0.1:$PORT --call shop:create_app",
        ),
        (
            &[("app.py", "from quart import Quart\napp = Quart(__name__)\n"), ("requirements.txt", "quart\n")],
            "python -m hypercorn --bind 127.0.0.1:$PORT app:app",
        ),
        (
            &[
                ("app.py", "from litestar import Litestar\napp = Litestar([])\n"),
                ("requirements.txt", "litestar\ngranian"),
            ],
            "python -m granian --interface asgi --host 127.0.0.1 --port $PORT app:app",
        ),
        (
            &[
                (
                    "site/wsgi.py",
                    "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n",
                ),
                (
                    "site/asgi.py",
                    "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n",
                ),
                ("site/__init__.py", ""),
                ("requirements.txt", "django\nuvicorn"),
            ],
            "python -m uvicorn --port $PORT site.asgi:application",
        ),
        (
            &[
                ("serve.py", "from aiohttp import web\napp = web.Application()\nweb.run_app(app)\n"),
                ("requirements.txt", "aiohttp"),
            ],
            "python serve.py",
        ),
        (
            &[
                (
                    "hello.py",
                    "import tornado.web\nfrom tornado.options import define\ndefine('port', default=8888)\ndef make(): pass\napp = tornado.web.Application([])\n",
                ),
                ("requirements.txt", "tornado"),
            ],
            "python hello.py --port=$PORT",
        ),
    ] {
        let (_, text) = only(files);
        let parsed: toml::Table = text.parse().unwrap();
        let function = parsed["functions"].as_table().unwrap().values().next().unwrap();
        assert_eq!(function["run"].as_str(), Some(run), "{text}");
    }
}

#[test]
fn routers_models_and_dependencies_of_fastapi_are_followed() {
    let main = "from fastapi import FastAPI\nfrom app.routes import chat\napp = FastAPI()\napp.include_router(chat.router, prefix='/v1')\n";
    let routes = |parameters: &str| {
        format!(
            "from fastapi import APIRouter, Depends\nfrom pydantic import BaseModel, Field\nrouter = APIRouter(prefix='/chat')\n\
             class Ask(BaseModel):\n    message: str\n    n: int = Field(3)\n    tags: list[str] = Field(..., min_length=1)\n\n\
             @router.post('/stream')\nasync def stream({parameters}):\n    return StreamingResponse(x())\n"
        )
    };
    let check = |parameters: &str| {
        let routes = routes(parameters);
        let files =
            [("app/main.py", main), ("app/routes/chat.py", routes.as_str()), ("requirements.txt", "fastapi\nuvicorn")];
        let (found, text) = only(&files);
        (text.lines().find(|line| line.starts_with("check")).unwrap().to_owned(), found.notes)
    };
    let (line, notes) = check("ask: Ask, db: Session = Depends(get_db)");
    assert!(
        line.contains("path = \"/v1/chat/stream\"")
            && line.contains("body = '{\"message\":\"hello\",\"tags\":[\"hello\"]}'"),
        "{line}"
    );
    assert!(line.ends_with("streams = true }") && notes.is_empty(), "{line} {notes:?}");
    // What the source does not show is not made up.
    for parameters in ["ask: Ask, user: User = Depends(get_current_user)", "ask: Unknown", "file: UploadFile"] {
        let (line, notes) = check(parameters);
        assert_eq!(line, "check = { path = \"/openapi.json\" }");
        assert!(notes[0].contains("`POST /v1/chat/stream` streams"), "{notes:?}");
    }
}

#[test]
fn mcp_servers_are_initialized() {
    let server = "from mcp.server.mcpserver import MCPServer\nmcp = MCPServer('x')\n";
    let (found, text) = only(&[("server.py", server), ("requirements.txt", "mcp\n")]);
    assert!(
        text.contains("run = \"python -m uvicorn --factory --port $PORT server:mcp.streamable_http_app\""),
        "{text}"
    );
    assert!(text.contains("path = \"/mcp\"") && text.contains("initialize"), "{text}");
    assert!(found.notes.iter().any(|note| note.contains("stateless_http")), "{:?}", found.notes);
    let app = format!("{server}app = mcp.streamable_http_app(stateless_http=True, host='0.0.0.0')\n");
    let (found, text) = only(&[("server.py", &app), ("requirements.txt", "mcp\n")]);
    assert!(
        text.contains("run = \"python -m uvicorn --port $PORT server:app\"") && text.contains("initialize"),
        "{text}"
    );
    assert_eq!(found.notes, [""; 0]);
}

#[test]
fn packages_of_node_are_built_and_started_as_their_scripts_say() {
    let listen =
        "const app = require('express')();\napp.get('/', (req, res) => res.send(''));\napp.listen(process.env.PORT);\n";
    for (json, files, lines) in [
        (
            r#"{"dependencies":{"express":"5"},"scripts":{"start":"node server.js"}}"#,
            &[("server.js", listen)][..],
            &["run = \"node server.js\""][..],
        ),
        (
            r#"{"dependencies":{"express":"5"},"main":"server.js"}"#,
            &[("server.js", listen)],
            &["run = \"node server.js\""],
        ),
        (
            r#"{"dependencies":{"express":"5"},"scripts":{"start":"NODE_ENV=production node server"}}"#,
            &[("server.js", listen)],
            &["run = \"NODE_ENV=production node server\""],
        ),
        (
            r#"{"dependencies":{"express":"5"},"devDependencies":{"nodemon":"3"},"scripts":{"start":"nodemon server.js"}}"#,
            &[("server.js", listen)],
            &["run = \"node server.js\""],
        ),
        (
            r#"{"dependencies":{"express":"5"},"scripts":{"build":"tsc","start":"node dist/index.js"}}"#,
            &[("src/index.ts", listen), ("package-lock.json", "")],
            &["run = \"node dist/index.js\"", "build = { command = \"npm ci && npm run build\" }"],
        ),
        (
            r#"{"dependencies":{"express":"5"},"devDependencies":{"tsx":"4"},"scripts":{"start":"tsx src/index.ts"}}"#,
            &[("src/index.ts", listen)],
            &["run = \"node dist/server.mjs\""],
        ),
        (
            r#"{"dependencies":{"express":"5"},"scripts":{"start":"node ./bin/www"}}"#,
            &[("bin/www", listen)],
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
            &[
                ("next.config.mjs", "export default { output: 'standalone' }"),
                ("app/page.tsx", ""),
                ("public/a.txt", ""),
            ],
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
    ] {
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

#[test]
fn crates_are_servers_or_functions() {
    let cargo =
        |dependencies: &str| format!("[package]\nname = \"web\"\nversion = \"0.1.0\"\n[dependencies]\n{dependencies}");
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
    has(&[("Cargo.toml", &rocket), ("src/main.rs", routes)], &["port = 8000", "check = { path = \"/hello/\" }"], &[]);
    let two = cargo("axum = \"0.8\"\n");
    let serve = "async fn main() { axum::serve(l, app()).await } fn l() { std::env::var(\"PORT\") }";
    has(
        &[("Cargo.toml", &two), ("src/main.rs", "fn main() {}"), ("src/bin/server.rs", serve)],
        &["bin = \"server\"", "port = 8080"],
        &["others: `web`"],
    );
    // Files that are read at run time.
    let statics = "async fn main() { axum::serve(l(\"PORT\"), r.fallback_service(ServeDir::new(\"./assets\"))).await }";
    has(&[("Cargo.toml", &axum), ("src/main.rs", statics), ("assets/a.css", "")], &["include = [\"assets\"]"], &[]);
}

#[test]
fn servers_in_go_and_deno_are_compiled() {
    let go = "package main\nimport \"net/http\"\nfunc main() { http.HandleFunc(\"/events\", events); http.ListenAndServe(\":9000\", nil) }\n\
              func events(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush() }\n";
    has(
        &[("go.mod", "module example.com/chat\n"), ("cmd/server/main.go", go)],
        &["[functions.chat]", "run = \"./server\"", "port = 9000", "check = { path = \"/events\", streams = true }"],
        &[],
    );
    let deno = "Deno.serve({ port: 8000 }, () => new Response('hello'));\n";
    let (_, text) = only(&[("deno.json", "{}"), ("main.ts", deno)]);
    assert!(
        text.contains("deno compile --allow-all --output server main.ts") && text.contains("port = 8000"),
        "{text}"
    );
}

#[test]
fn other_tools_configurations_are_imported() {
    let sam = "Resources:\n  Chat:\n    Type: AWS::Serverless::Function\n";
    let cargo = "[package]\nname='a'\n[package.metadata.lambda.deploy]\nmemory=512\n";
    for (files, command) in [
        (&[("template.yaml", sam), ("main.py", FASTAPI)][..], "import sam"),
        (&[("Cargo.toml", cargo), ("src/main.rs", "")], "import cargo-lambda"),
        (&[("Cargo.toml", "[workspace]\n"), ("CargoLambda.toml", "")], "import cargo-lambda"),
    ] {
        let Survey::Import { command: found, .. } = survey(&Tree::of(files), &Installed::default()) else {
            panic!("{files:?}")
        };
        assert_eq!(found, command);
    }
    // Any other file of this name is none.
    let found = survey(&Tree::of(&[("template.yaml", "a: b\n"), ("main.py", FASTAPI)]), &Installed::default());
    assert!(matches!(found, Survey::Apps(_)));
}

#[test]
fn several_apps_are_found_unless_one_is_above_the_others_or_the_others_are_aside() {
    let apps = |files: &[(&str, &str)]| match survey(&Tree::of(files), &Installed::default()) {
        Survey::Apps(apps) => apps.into_iter().map(|app| app.directory).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    let next = ("frontend/package.json", r#"{"dependencies":{"next":"16"}}"#);
    let api = ("backend/main.py", FASTAPI);
    let list = ("backend/requirements.txt", "fastapi\n");
    assert_eq!(apps(&[next, api, list]), ["backend", "frontend"]);
    assert_eq!(apps(&[next, ("main.py", FASTAPI)]), [""]);
    assert_eq!(
        apps(&[
            ("examples/a/main.py", FASTAPI),
            ("examples/a/requirements.txt", ""),
            ("a/b/main.py", FASTAPI),
            ("a/b/requirements.txt", "")
        ]),
        ["a/b"]
    );
    assert_eq!(apps(&[("README.md", ""), ("lib/util.py", "x = 1\n"), ("package.json", "{}")]), [""; 0]);
    // A library that uses hyper is not a server.
    assert_eq!(
        apps(&[("Cargo.toml", "[package]\nname='a'\n[dependencies]\nhyper='1'\n"), ("src/main.rs", "fn main() {}")]),
        [""; 0]
    );
}
