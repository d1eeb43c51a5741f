// A chat endpoint that streams its answer, word by word: `POST /chat` with `{"message": "…"}`.
import { Hono } from "hono";
import { streamText } from "hono/streaming";

// The pause before each word, in milliseconds.
const PACE = 100;

// The words of the answer. A real endpoint would call its model here.
function* answer(message) {
  yield* `You said: ${message}\n`.split(/(?<= )/);
}

export const app = new Hono();

app.get("/", (context) => context.text('POST {"message": "hello"} to /chat\n'));

app.post("/chat", async (context) => {
  const { message } = await context.req.json();
  return streamText(context, async (stream) => {
    for (const word of answer(message)) {
      await stream.sleep(PACE);
      await stream.write(word);
    }
  });
});
