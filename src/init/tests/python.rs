//! Projects in Python.

use super::{FASTAPI, has, only};

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

const FLASK: &str = "from flask import Flask\ndef create_app():\n    app = Flask(__name__)\n    return app\n";
/// Files, and what starts the app.
const SERVERS: &[(&[(&str, &str)], &str)] = &[
    (
        &[("shop/__init__.py", FLASK), ("requirements.txt", "flask\ngunicorn\n")],
        "python -m gunicorn --bind 127.0.0.1:$PORT 'shop:create_app()'",
    ),
    (
        &[("shop/__init__.py", FLASK), ("requirements.txt", "flask\nwaitress\n")],
        "python -m waitress --listen 127.0.0.1:$PORT --call shop:create_app",
    ),
    (
        &[("app.py", "from quart import Quart\napp = Quart(__name__)\n"), ("requirements.txt", "quart\n")],
        "python -m hypercorn --bind 127.0.0.1:$PORT app:app",
    ),
    (
        &[("app.py", "from litestar import Litestar\napp = Litestar([])\n"), ("requirements.txt", "litestar\ngranian")],
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
];

#[test]
fn each_framework_of_python_has_its_server() {
    for &(files, run) in SERVERS {
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
        text.contains(
            "from server import mcp; uvicorn.run(mcp.streamable_http_app(stateless_http=True, host='0.0.0.0'), port="
        ),
        "{text}"
    );
    assert!(text.contains("check = { mcp = \"/mcp\" }"), "{text}");
    assert_eq!(found.notes, [""; 0]);
    let (_, text) =
        only(&[("server.py", "from fastmcp import FastMCP\nmcp = FastMCP('x')\n"), ("requirements.txt", "fastmcp\n")]);
    assert!(text.contains("uvicorn.run(mcp.http_app(stateless_http=True), port="), "{text}");
    let own = format!("{server}app = mcp.streamable_http_app()\n");
    let (found, _) = only(&[("server.py", &own), ("requirements.txt", "mcp\n")]);
    assert!(found.notes.iter().any(|note| note.contains("stateless_http")), "{:?}", found.notes);
    let app = format!("{server}app = mcp.streamable_http_app(stateless_http=True, host='0.0.0.0')\n");
    let (found, text) = only(&[("server.py", &app), ("requirements.txt", "mcp\n")]);
    assert!(
        text.contains("run = \"python -m uvicorn --port $PORT server:app\"")
            && text.contains("check = { mcp = \"/mcp\" }"),
        "{text}"
    );
    assert_eq!(found.notes, [""; 0]);
}
