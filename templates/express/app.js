// A chat endpoint that streams its answer, word by word: `POST /chat` with `{"message": "…"}`.
import { setTimeout } from "node:timers/promises";
import express from "express";

// The pause before each word, in milliseconds.
const PACE = 100;

// The words of the answer. A real endpoint would call its model here.
function* answer(message) {
  yield* `You said: ${message}\n`.split(/(?<= )/);
}

export const app = express();

app.get("/", (request, response) => {
  response.type("text").send('POST {"message": "hello"} to /chat\n');
});

app.post("/chat", express.json(), async (request, response) => {
  const { message } = request.body;
  response.type("text");
  for (const word of answer(message)) {
    await setTimeout(PACE);
    response.write(word);
  }
  response.end();
});
