//! The official SDKs of MCP behind the real adapter: which of their servers pass a check with `mcp`, and what its client
//! says of a server behind a local URL.

use crate::examples::cache;
use crate::support::bench::{Bench, said};
use crate::support::python::environment;
use serde_json::{Value, json};
use std::process::Command;

/// The oldest Python SDK that many servers still use, in the form that most of them have.
const PYTHON_1: &str = "import os\n\
    from mcp.server.fastmcp import FastMCP\n\
    mode = os.environ['MODE']\n\
    server = FastMCP('demo', stateless_http='less' in mode, json_response='json' in mode,\n\
    \x20   host='0.0.0.0', port=int(os.environ['PORT']))\n\
    @server.tool()\n\
    def add(a: int, b: int) -> int:\n\
    \x20   return a + b\n\
    server.run(transport='streamable-http')\n";

/// The newest one.
const PYTHON_2: &str = "import os, uvicorn\n\
    from mcp.server.mcpserver import MCPServer\n\
    mode = os.environ['MODE']\n\
    server = MCPServer('demo', version='1.2.3')\n\
    @server.tool()\n\
    def add(a: int, b: int) -> int:\n\
    \x20   return a + b\n\
    app = server.streamable_http_app(stateless_http='less' in mode, json_response='json' in mode, host='0.0.0.0')\n\
    uvicorn.run(app, port=int(os.environ['PORT']))\n";

/// The TypeScript SDK on Express, as its own examples have it.
const NODE: &str = "import express from 'express';\n\
    import { randomUUID } from 'node:crypto';\n\
    import { z } from 'zod';\n\
    import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';\n\
    import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';\n\
    import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';\n\
    const mode = process.env.MODE;\n\
    const enableJsonResponse = mode.includes('json');\n\
    const connected = async (transport) => {\n\
      const server = new McpServer({ name: 'demo', version: '1.2.3' });\n\
      const shape = { a: z.number(), b: z.number() };\n\
      const add = async ({ a, b }) => ({ content: [{ type: 'text', text: String(a + b) }] });\n\
      server.registerTool('add', { description: 'adds', inputSchema: shape }, add);\n\
      await server.connect(transport);\n\
      return transport;\n\
    };\n\
    const transports = {};\n\
    const stateful = async (request) => {\n\
      const id = request.headers['mcp-session-id'];\n\
      if (id && transports[id]) return transports[id];\n\
      if (id || !isInitializeRequest(request.body)) return null;\n\
      const onsessioninitialized = (id) => { transports[id] = transport; };\n\
      const transport = new StreamableHTTPServerTransport(\n\
        { sessionIdGenerator: () => randomUUID(), enableJsonResponse, onsessioninitialized });\n\
      return connected(transport);\n\
    };\n\
    const stateless = () =>\n\
      connected(new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse }));\n\
    const app = express();\n\
    app.use(express.json());\n\
    app.get('/', (_, response) => response.send('ready'));\n\
    app.all('/mcp', async (request, response) => {\n\
      const transport = await (mode.includes('less') ? stateless() : stateful(request));\n\
      if (transport) return transport.handleRequest(request, response, request.body);\n\
      const error = { code: -32000, message: 'Bad Request: No valid session ID provided' };\n\
      response.status(400).json({ jsonrpc: '2.0', error, id: null });\n\
    });\n\
    app.listen(process.env.PORT);\n";

/// A client of the Python SDK: each way to begin, the tools, and a call of one.
const CLIENT: &str = "import asyncio, sys\n\
    from mcp import Client\n\
    async def main():\n\
    \x20   for mode in ('auto', 'legacy'):\n\
    \x20       async with Client(sys.argv[1], mode=mode) as client:\n\
    \x20           tools = await client.list_tools()\n\
    \x20           result = await client.call_tool('add', {'a': 2, 'b': 3})\n\
    \x20           print(client.protocol_version, [tool.name for tool in tools.tools], result.content[0].text)\n\
    asyncio.run(main())\n";

fn manifest(keys: &str, mode: &str) -> String {
    format!(
        "app = \"shop\"\n[functions.tools]\nweb = \"site\"\n{keys}timeout = 60\nenvironment = {{ MODE = \"{mode}\" }}\n\
         url = {{ auth = \"none\" }}\ncheck = {{ mcp = \"/mcp\" }}\n"
    )
}

fn deploy(bench: &Bench) -> (Value, i32) {
    let mut command = bench.command(&["deploy", "--local", "--yes", "--output", "json"]);
    command.env("LAMSTREAM_CACHE_DIR", cache()).envs(std::env::var_os("HOME").map(|home| ("HOME", home)));
    let output = command.output().unwrap();
    let document = serde_json::from_slice(&output.stdout);
    (document.unwrap_or_else(|error| panic!("{error}: {}", said(&output))), output.status.code().unwrap())
}

/// Deploys a server without sessions and one with sessions in memory, each with both forms of answers. `words` are what
/// a second instance says to a session that it does not know.
fn judged(keys: &str, files: &[(&str, &str)], server: &str, words: &str) -> Bench {
    let bench = Bench::new("");
    for (name, text) in files {
        bench.write_all(&format!("site/{name}"), text);
    }
    for mode in ["full", "full-json", "less-json", "less"] {
        bench.write("deploy.toml", &manifest(keys, mode));
        let (document, code) = deploy(&bench);
        if mode.starts_with("full") {
            let message = document["error"]["message"].as_str().unwrap_or_default();
            let known = "a second instance does not know the MCP session that the first one began: `";
            assert!(code == 1 && message.contains(known) && message.contains(words), "{mode}: {document:#}");
            let hints = document["error"]["hints"].to_string();
            assert!(hints.contains("run the server without sessions"), "{mode}: {hints}");
        } else {
            assert_eq!(code, 0, "{mode}: {document:#}");
            let seen = json!({"protocol": "2025-11-25", "server": server, "tools": 1, "sessions": "stateless"});
            assert_eq!(document["functions"][0]["verified"]["mcp"], seen, "{mode}");
        }
    }
    bench
}

const PYTHON_KEYS: &str = "runtime = \"python3.13\"\nrun = \"python main.py\"\n";

#[test]
fn servers_of_the_first_python_sdk() {
    let files = [("main.py", PYTHON_1), ("requirements.txt", "mcp==1.30.0\n")];
    judged(PYTHON_KEYS, &files, "demo 1.30.0", "Session not found");
}

#[test]
fn servers_of_the_second_python_sdk_and_its_client() {
    let files = [("main.py", PYTHON_2), ("requirements.txt", "mcp==2.3.0\nuvicorn==0.54.0\n")];
    let bench = judged(PYTHON_KEYS, &files, "demo 1.2.3", "Session not found");
    let Some(bin) = environment("mcp", "mcp==2.3.0\n") else { return };
    let url = bench.good(&["url", "--local"]);
    let mut client = Command::new(bin.join("python"));
    let output = client.args(["-c", CLIENT, &format!("{}mcp", url.trim())]).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "2026-07-28 ['add'] 5\n2025-11-25 ['add'] 5\n",
        "{}",
        said(&output)
    );
}

#[test]
fn servers_of_the_typescript_sdk() {
    let package = json!({"name": "site", "version": "1.0.0", "type": "module", "dependencies": {
        "@modelcontextprotocol/sdk": "1.32.2", "express": "5.1.0", "zod": "4.6.7"
    }});
    let keys = "runtime = \"nodejs22.x\"\nrun = \"node index.js\"\n";
    let files = [("index.js", NODE), ("package.json", &package.to_string())];
    judged(keys, &files, "demo 1.2.3", "No valid session ID provided");
}
