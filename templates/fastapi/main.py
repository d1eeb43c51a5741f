"""A chat endpoint that streams its answer, word by word: `POST /chat` with `{"message": "…"}`."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

app = FastAPI()

# The pause before each word, in seconds.
PACE = 0.1


class Chat(BaseModel):
    message: str


async def answer(message: str) -> AsyncIterator[str]:
    """The words of the answer. A real endpoint would call its model here. Nothing blocks the event loop."""
    for word in f"You said: {message}\n".split(" "):
        await asyncio.sleep(PACE)
        yield word if word.endswith("\n") else f"{word} "


@app.post("/chat")
async def chat(chat: Chat) -> StreamingResponse:
    return StreamingResponse(answer(chat.message), media_type="text/plain")


@app.get("/")
async def root() -> dict[str, str]:
    return {"chat": 'POST {"message": "hello"} to /chat'}
