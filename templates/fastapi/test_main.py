"""Run with `pytest`."""

import asyncio

import main


def test_the_answer_comes_word_by_word():
    async def words():
        return [word async for word in main.answer("hello there")]

    assert asyncio.run(words()) == ["You ", "said: ", "hello ", "there\n"]


def test_the_route_streams_the_answer():
    async def body():
        response = await main.chat(main.Chat(message="hello"))
        return "".join([chunk async for chunk in response.body_iterator])

    assert asyncio.run(body()) == "You said: hello\n"
