import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { app } from "./app.js";

test("the answer comes word by word", async () => {
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const response = await fetch(`http://127.0.0.1:${server.address().port}/chat`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ message: "hello" }),
    });
    const words = [];
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) words.push(chunk);
    assert.deepEqual(words, ["You ", "said: ", "hello\n"]);
  } finally {
    server.close();
  }
});
