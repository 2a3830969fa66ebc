// An app of Express and one of Fastify that say which flags a request had, by the package for Node (its path is the first argument).
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import express from "express";
import fastify from "fastify";

const [path, keys] = process.argv.slice(2);
const { flagReader } = createRequire(import.meta.url)(path);
const read = flagReader({ keys });
const say = (found) => ({
  source: found.source,
  visitor: found.visitor ?? null,
  form: found.variant("form"),
  flags: found,
});

const byExpress = express();
byExpress.use((req, res, next) => {
  req.flags = read(req);
  next();
});
// A router changes `url`.
const shop = express.Router();
shop.get(/.*/, (req, res) => res.json(say(req.flags)));
byExpress.use("/shop", (req, res, next) => {
  req.flags = read(req);
  next();
}, shop);
const one = byExpress.listen(0, "127.0.0.1");

const byFastify = fastify();
byFastify.decorateRequest("flags", null);
byFastify.addHook("onRequest", async (request) => {
  request.flags = read(request);
});
byFastify.get("/*", async (request) => say(request.flags));
await byFastify.listen({ host: "127.0.0.1", port: 0 });

console.log(JSON.stringify([one.address().port, byFastify.server.address().port]));
// It ends with the test.
createInterface({ input: process.stdin }).on("close", () => process.exit());
