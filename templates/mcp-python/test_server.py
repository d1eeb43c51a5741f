"""Run with `pytest`."""

import asyncio

from mcp import Client

from server import mcp


def test_the_tool_reports_each_word_and_returns_all_of_them():
    async def call():
        words = []

        async def progress(_count, _total, word):
            words.append(word)

        async with Client(mcp) as client:
            result = await client.call_tool("chat", {"message": "hello"}, progress_callback=progress)
        return words, result.content[0].text

    assert asyncio.run(call()) == (["You", "said:", "hello"], "You said: hello")
