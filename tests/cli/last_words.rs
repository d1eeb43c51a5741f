//! A function that ends at its start: the deploy shows its own sentence, before its frames.

use crate::support::bench::{Bench, said};

/// A name, a runtime, how it is started, its files, and the lines of its log that are shown first.
type Case =
    (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const CASES: [Case; 7] = [
    (
        "throw",
        "nodejs20.x",
        "node server.js",
        &[("server.js", "const x = 1;\nthrow new Error('DATABASE_URL is missing');\n")],
        &["Error: DATABASE_URL is missing", "    at Object.<anonymous> ("],
    ),
    (
        "reject",
        "nodejs20.x",
        "node server.js",
        &[("server.js", "async function start() { await null; throw new TypeError('no database'); }\nstart();\n")],
        &["TypeError: no database", "    at start ("],
    ),
    (
        "package",
        "nodejs20.x",
        "node server.mjs",
        &[("server.mjs", "import 'fastify-nope';\n")],
        &["Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'fastify-nope' imported from "],
    ),
    (
        "syntax",
        "nodejs20.x",
        "node server.js",
        &[("server.js", "const a = ;\n")],
        &["SyntaxError: Unexpected token ';'"],
    ),
    (
        "chain",
        "python3.13",
        "python main.py",
        &[(
            "main.py",
            "import os\ntry:\n    os.environ['DATABASE_URL']\nexcept KeyError as error:\n    raise RuntimeError('no \
             database') from error\n",
        )],
        &["KeyError: 'DATABASE_URL'", "  File \"", "RuntimeError: no database", "  File \""],
    ),
    (
        "indent",
        "python3.13",
        "python main.py",
        &[("main.py", "def f():\npass\n")],
        &["IndentationError: expected an indented block after function definition on line 1", "  File \""],
    ),
    (
        "group",
        "python3.13",
        "python main.py",
        &[("main.py", "raise ExceptionGroup('two of them', [ValueError('bad value'), OSError('disk is full')])\n")],
        &[
            "ExceptionGroup: two of them (2 sub-exceptions)",
            "  File \"",
            "ValueError: bad value",
            "OSError: disk is full",
        ],
    ),
];

#[test]
fn the_sentence_of_an_exception_comes_before_its_frames() {
    let mut manifest = "app = \"shop\"\n".to_owned();
    for (name, runtime, run, ..) in CASES {
        manifest += &format!(
            "[functions.{name}]\nweb = \"{name}\"\nruntime = \"{runtime}\"\nrun = \"{run}\"\ndependencies = \"none\"\nurl = {{ auth = \"none\" }}\ncheck = {{}}\n"
        );
    }
    let bench = Bench::new(&manifest);
    for (name, _, _, files, _) in CASES {
        for (file, text) in files {
            bench.write_all(&format!("{name}/{file}"), text);
        }
    }
    let (document, code) = bench.json(&["deploy", "--local"]);
    assert_eq!(code, 1, "{document:#}");
    let functions = document["functions"].as_array().unwrap();
    for ((name, .., expected), function) in CASES.into_iter().zip(functions) {
        let shown = function["error"]["log"].as_array().unwrap();
        let log = shown.iter().filter_map(|line| line.as_str());
        let log: Vec<&str> = log.skip_while(|line| !line.contains(expected[0])).collect();
        assert!(log.len() >= expected.len(), "{name}: {shown:#?}");
        for (line, expected) in log.iter().zip(expected) {
            assert!(line.starts_with(expected), "{name}: {expected:?} is expected: {shown:#?}");
        }
    }
}

/// A handler that fails in its request: its traceback is in the log alone.
#[test]
fn what_a_function_logs_of_a_failed_request_is_shown() {
    let main = "import http.server, os, traceback\nclass Handler(http.server.BaseHTTPRequestHandler):\n    def do_GET(self):\n        \
                if self.headers.get('host') and 'x-amzn-request-context' in self.headers:\n            try:\n                \
                raise ValueError('cannot read the catalogue')\n            except ValueError:\n                \
                traceback.print_exc()\n                self.send_response(500)\n                \
                self.send_header('content-length', '0')\n                self.end_headers()\n                return\n        \
                self.send_response(200)\n        self.send_header('content-length', '0')\n        self.end_headers()\n\
                http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()\n";
    let bench = Bench::new(
        "app = \"shop\"\n[functions.site]\nweb = \"app\"\nruntime = \"python3.13\"\nrun = \"python main.py\"\nport = 18431\n\
         dependencies = \"none\"\nurl = { auth = \"none\" }\ncheck = {}\n",
    );
    bench.write_all("app/main.py", main);
    let output = bench.run(&["deploy", "--local"]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("\n  the function's last log lines:\n    ValueError: cannot read the catalogue\n"), "{told}");
    assert!(!told.contains("caused by"), "{told}");
}

/// A rollback does not change the mode of the URL, and the adapter of an older version still buffers.
#[test]
fn a_version_that_was_released_to_buffer_says_so_behind_a_url_that_streams() {
    let main = "import http.server, os\nclass Handler(http.server.BaseHTTPRequestHandler):\n    def do_GET(self):\n        \
                self.send_response(200)\n        self.send_header('content-length', '2')\n        self.end_headers()\n        \
                self.wfile.write(b'ok')\nhttp.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()\n";
    let manifest = |mode: &str| {
        format!(
            "app = \"shop\"\n[functions.site]\nweb = \"app\"\nruntime = \"python3.13\"\nrun = \"python main.py\"\nport = 18437\n\
             dependencies = \"none\"\nurl = {{ auth = \"none\", mode = \"{mode}\" }}\ncheck = {{}}\n"
        )
    };
    let bench = Bench::new(&manifest("buffered"));
    bench.write_all("app/main.py", main);
    bench.good(&["deploy", "--local"]);
    bench.write("deploy.toml", &manifest("response-stream"));
    bench.good(&["deploy", "--local"]);
    let output = bench.run(&["rollback", "--local", "--yes"]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let words = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let hint = "hint: if this version was released with `mode = \"buffered\"`, set that mode again";
    assert!(words.contains("the URL streams but the handler is buffered") && words.contains(hint), "{told}");
}
