import assert from "node:assert/strict";
import { test } from "node:test";
import { app } from "./app.js";

test("the answer comes word by word", async () => {
  const response = await app.request("/chat", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ message: "hello" }),
  });
  const words = [];
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) words.push(chunk);
  assert.deepEqual(words, ["You ", "said: ", "hello\n"]);
});
