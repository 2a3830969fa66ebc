// Never run: the compiler reads it, as strictly as it can.
import { createServer } from "node:http";
import { type FlagOptions, Flags, flagReader, flags } from "../src/index.js";

const options: FlagOptions = { keys: process.env["FLAGSTAFF_KEYS"], defaults: { form: true, prices: "simple" } };
const read = flagReader(options);

createServer((request, response) => {
  const found: Flags = read(request);
  const text: string = found.isOn("form") ? found.variant("prices", "classic") : "off";
  response.end(text + (found.visitor ?? ""));
});

flags(new Request("http://shop/")).toJSON()["form"]?.toUpperCase();
// @ts-expect-error: a name is a text
found(flags({ headers: {} }).isOn(7));
function found(_: boolean): void {}
