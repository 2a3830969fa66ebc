// Results: each change as an interval, all on one axis, with a colour only where it is decided.
import assert from "node:assert/strict";
import { admin, play, signedIn, tell, until } from "./scenario.js";

await play(async (browser, faults) => {
  const page = await signedIn(browser, faults);
  await page.goto(`${admin}/results/form`);
  await until("everything is counted", async () => {
    await page.reload();
    return (await page.locator("main").innerText()).includes("Ship it");
  });
  const plots = await page.locator("svg.plot").evaluateAll((all) =>
    all.map((plot) => {
      const at = (name) => {
        const { left, right, width, height } = plot.querySelector(`.${name}`).getBoundingClientRect();
        return { left, right, width, height };
      };
      return { box: at("axis"), zero: at("zero"), range: at("range"), dot: at("dot"), label: plot.getAttribute("aria-label"), colour: getComputedStyle(plot.querySelector(".dot")).fill };
    }),
  );
  assert.equal(plots.length, 2, "one for each variant but the control");
  const [better, same] = plots;
  for (const { box, zero, range, dot, label } of plots) {
    assert.ok(box.width > 100, `${box.width} px wide`);
    assert.ok(range.left <= dot.right && dot.left <= range.right, `the change is in its interval: ${JSON.stringify({ range, dot })}`);
    assert.ok(zero.left >= box.left && zero.left <= box.right);
    assert.match(label, /^from [+-]/);
  }
  assert.ok(Math.abs(better.zero.left - same.zero.left) < 1, "one axis for all rows");
  assert.ok(better.range.left > better.zero.left, "a change that is decided does not touch 0");
  assert.ok(Math.abs(same.dot.left - same.zero.left) < (better.dot.left - better.zero.left) / 2, "a smaller change is nearer to 0");
  assert.notEqual(better.colour, await page.locator("main .faint").first().evaluate((text) => getComputedStyle(text).color), "and has a colour");
  await tell("intervals are drawn", { rows: await page.locator("tbody tr").evaluateAll((rows) => rows.map((row) => row.innerText)) });
});
