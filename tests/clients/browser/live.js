// Numbers that move while the page is looked at: requests by flag and by variant, without a reload and without a jump of the layout.
import assert from "node:assert/strict";
import { painted, watchShifts } from "./inspect.js";
import { admin, play, signedIn, tell, until } from "./scenario.js";

/** A number that gets a digit more moves the word behind it by a few pixels; a line of text that comes or goes moves all below it. */
const MOST_SHIFT = 0.001;

await play(async (browser, faults) => {
  const page = await signedIn(browser, faults);
  await page.addInitScript(watchShifts);
  const place = page.locator("[data-traffic=form]").first();
  const number = async (locator) => Number((await locator.innerText()).replace(/\D/g, ""));
  const requests = () => number(place.locator("[data-requests]"));
  const shifts = () => page.evaluate(() => globalThis.shiftsSoFar());
  const stays = async (loaded) => {
    assert.equal(await page.evaluate(() => globalThis.isTheSamePage), true, "the page was not loaded again");
    const moved = (await shifts()) - loaded;
    assert.ok(moved < MOST_SHIFT, `nothing jumps: ${moved}`);
  };
  /** Opens a page, has the test send its visitors, and waits until all of them are shown. */
  const whileTheyCome = async (path, step) => {
    await page.goto(`${admin}${path}`);
    await page.evaluate(() => (globalThis.isTheSamePage = true));
    // a slow machine paints a table before its last row came: what moves then is not of the numbers
    await page.evaluate(painted);
    const loaded = await shifts();
    const before = await requests();
    await tell(step);
    await until("everybody is counted", async () => (await requests()) === before + 60);
    await stays(loaded);
  };

  await whileTheyCome("/flags", "the list is open");
  await place.getByText(/last asked \d+ s ago/).waitFor();
  const [width] = await place.locator("[data-part]").evaluateAll((parts) => parts.map((part) => part.getBoundingClientRect().width));
  const bar = await place.locator("svg.bar").first().evaluate((svg) => svg.getBoundingClientRect().width);
  await tell("the list moved", { share: width / bar });

  await whileTheyCome("/flags/form", "the flag's page is open");
  const rows = await page.locator("tr[data-variant]").all();
  const counts = await Promise.all(rows.map(async (row) => [await row.getAttribute("data-variant"), await number(row.locator("[data-count]"))]));
  await tell("the flag's page moved", { counts: Object.fromEntries(counts) });
});
