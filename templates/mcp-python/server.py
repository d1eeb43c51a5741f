"""An MCP server. Its tool reports each word of the answer before it returns all of them."""

import asyncio

from mcp.server.mcpserver import Context, MCPServer

mcp = MCPServer("APP_NAME")


@mcp.tool()
async def chat(message: str, ctx: Context) -> str:
    """Answer a message. A real tool would call its model here."""
    words = f"You said: {message}".split()
    for count, word in enumerate(words, start=1):
        await ctx.report_progress(count, len(words), word)
        await asyncio.sleep(0.1)
    return " ".join(words)


# Each request may reach another instance, so there are no sessions; and the URL's host is not known here.
app = mcp.streamable_http_app(stateless_http=True, host="0.0.0.0")
