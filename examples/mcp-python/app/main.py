"""An MCP server without sessions, so that each request may reach any instance."""

import asyncio

from mcp.server.mcpserver import Context, MCPServer
from starlette.requests import Request
from starlette.responses import PlainTextResponse

server = MCPServer("mcp-python", version="1.0.0")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
async def count(to: int, context: Context) -> str:
    """Count slowly, and report progress on the way."""
    for number in range(1, to + 1):
        await asyncio.sleep(0.2)
        await context.report_progress(number, to)
    return f"counted to {to}"


@server.custom_route("/health", methods=["GET"])
async def health(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ready")


# With the default host, 127.0.0.1, the SDK refuses requests for any other host, and so for the Function URL.
app = server.streamable_http_app(stateless_http=True, host="0.0.0.0")
