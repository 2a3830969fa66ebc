// What Vercel's own library gives: node ask_vercel.js EXPORT PEOPLE
import { readFileSync } from "node:fs";
import { evaluate } from "@vercel/flags-core";

const [data, people] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, "utf8")));
const given = (definition, person) =>
  evaluate({ definition, environment: data.environment, segments: data.segments, entities: { user: person }, defaultValue: null }).value;
const asked = (person) =>
  Object.fromEntries(Object.entries(data.definitions).map(([name, definition]) => [name, given(definition, person)]));
console.log(JSON.stringify(people.map(asked)));
