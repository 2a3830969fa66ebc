// The simulator: how many have the flag at a percentage, and that nobody loses it while the percentage grows.
import assert from "node:assert/strict";
import { admin, play, signedIn, tell, until } from "./scenario.js";

const DOTS = 200;

await play(async (browser, faults) => {
  const page = await signedIn(browser, faults);
  await page.goto(`${admin}/simulator/form`);
  const at = async (percent) => {
    await page.getByRole("slider").fill(`${percent}`);
    await page.getByText(`At ${percent} %, 10,000 visitors`).waitFor();
    const cells = await page.locator("#simulation tbody tr").evaluateAll((rows) => rows.map((row) => row.innerText.trim().split(/\s+/)));
    const dots = await page.locator("svg.dots:not(.key) circle").evaluateAll((all) => all.map((dot) => [dot.getAttribute("class"), getComputedStyle(dot).fill]));
    return { cells, dots };
  };
  const isIn = ([name]) => name === "in";

  const first = await at(37);
  assert.equal(first.dots.length, DOTS);
  await tell("at 37 %", {
    variants: Object.fromEntries(first.cells.map(([name, count]) => [name, Number(count.replace(",", ""))])),
    percent: Object.fromEntries(first.cells.map(([name, , percent]) => [name, Number(percent)])),
  });
  const shown = new Set(first.dots.map(([name, fill]) => `${name}: ${fill}`));
  assert.equal(shown.size, 2, `those who have it look otherwise than those who do not: ${[...shown]}`);

  let before = first;
  for (const percent of [38, 45, 52, 60]) {
    const now = await at(percent);
    const lost = before.dots.filter((dot, place) => isIn(dot) && !isIn(now.dots[place]));
    assert.equal(lost.length, 0, `${lost.length} dots change sides on the way to ${percent} %`);
    before = now;
  }
  const [few, many] = [first, before].map(({ dots }) => dots.filter(isIn).length);
  assert.ok(many > few + DOTS / 10, `${few} dots at 37 %, ${many} at 60 %`);

  // As a hand moves it: what was asked last is what stands there in the end.
  for (const percent of [10, 80, 37]) await page.getByRole("slider").fill(`${percent}`);
  await page.waitForLoadState("networkidle");
  await until("the newest answer stays", async () => (await page.locator("#simulation").innerText()).startsWith("At 37 %"));

  await page.getByText("Try a draft of the flag").click();
  await page.getByLabel("The flag, as the file would say it").fill("[flags.form]\nvariants = { plain = 50, round = 30, square = 20 }\n");
  await page.getByRole("button", { name: "Simulate the draft" }).click();
  await page.getByText("with the draft").waitFor();
  assert.deepEqual(await page.locator("#simulation tbody tr td:first-child").evaluateAll((cells) => cells.map((cell) => cell.innerText.trim())), ["plain", "round", "square"]);
  await tell("a draft is tried");
});
