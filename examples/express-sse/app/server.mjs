// Server-sent events: sends the time ten times a second, `count` times.
import express from "express";

const app = express();

app.get("/events", async (request, response) => {
  const count = Math.min(Number(request.query.count ?? 10), 600);
  response.set({ "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.flushHeaders();
  for (let id = 1; id <= count && !response.destroyed; id++) {
    response.write(`id: ${id}\nevent: tick\ndata: ${JSON.stringify({ at: new Date().toISOString() })}\n\n`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  response.end("event: end\ndata: {}\n\n");
});

app.get("/", (request, response) => {
  response.type("html").send(`<!doctype html>
<title>express-sse</title>
<ol id="ticks"></ol>
<script>
  const events = new EventSource("/events");
  events.addEventListener("tick", (event) => {
    ticks.append(Object.assign(document.createElement("li"), { textContent: JSON.parse(event.data).at }));
  });
  events.addEventListener("end", () => events.close());
</script>
`);
});

app.listen(Number(process.env.PORT), "127.0.0.1");
