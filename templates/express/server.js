import { app } from "./app.js";

app.listen(Number(process.env.PORT ?? 8080), "127.0.0.1");
