// Streams its first line at once, and its second when the file GATE is there.
import { existsSync } from "node:fs";

export const handler = awslambda.streamifyResponse(async (_event, out) => {
  const head = { statusCode: 201, headers: { "x-from": "elsewhere" } };
  const stream = awslambda.HttpResponseStream.from(out, head);
  stream.write("first\n");
  while (!existsSync(process.env.GATE)) await new Promise((again) => setTimeout(again, 20));
  stream.end("second\n");
});
