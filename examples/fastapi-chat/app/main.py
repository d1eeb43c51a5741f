"""A chat endpoint that streams its answer, character by character."""

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()

# The pause after each character, in seconds.
PACE = 0.03

TEXT = """Lorem ipsum dolor sit amet, consectetur adipiscing elit.
        Sed tincidunt ex ac quam pretium, ut interdum arcu pharetra. Nulla facilisi.
        Integer pellentesque libero quis est semper, vitae tristique ligula elementum."""

ARTIFACTS = [
    {
        "title": "Chatgpt api url questions: Chatgpt3.5 error",
        "description": "I tried to use openai's api,but it didn't work...",
        "uri": "https://stackoverflow.com/questions/76172889/chatgpt-api-url-questions-chatgpt3-5-error",
    },
    {
        "title": "installing pandas-profiling error in python 3.10",
        "description": "I am trying to install pandas-profiling in python 3.10 using pychan installation package option.",
        "uri": "https://stackoverflow.com/questions/71322187/installing-pandas-profiling-error-in-python-3-10",
    },
]


async def tokens(query: str) -> AsyncIterator[str]:
    """The answer to `query`. A real endpoint would call its model here. Nothing blocks the event loop."""
    yield "[START]"
    for character in TEXT:
        yield character
        await asyncio.sleep(PACE)
    yield "[END]"
    for artifact in ARTIFACTS:
        yield "[ARTIFACT]"
        yield json.dumps(artifact, indent=4)
        yield "[/ARTIFACT]"


@app.post("/stream/chat")
async def stream_chat(query: str) -> StreamingResponse:
    return StreamingResponse(tokens(query), media_type="text/plain")


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}
