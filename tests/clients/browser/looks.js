// Every page in light and dark, on a wide window and on a phone. SCREENSHOTS=FOLDER keeps a picture of each.
import assert from "node:assert/strict";
import { contrastFaults, layoutFaults, nameless, painted, watchShifts } from "./inspect.js";
import { admin, link, play, signedIn, window } from "./scenario.js";

const SIZES = [{ width: 1280, height: 900 }, { width: 390, height: 844 }];
const SCHEMES = ["light", "dark"];
/** The heaviest that the first page may be, with everything it loads (bytes). */
const FIRST_PAGE = 100_000;
/** How far things may move while a page loads: a slow machine paints a table before its last row came. What a script adds moves more. */
const MOST_SHIFT = 0.05;
const PAGES = [
  "/", "/flags", "/flags?state=split&owner=growth", "/flags?text=nothing+fits", "/flags/form", "/flags/form/edit", "/flags/form/end", "/flags/form/off",
  "/flags/ramp", "/flags/ramp/edit", "/flags/ramp/edit?anew=1", "/flags/checkout", "/flags/burnt", "/flags/colours", "/flags/pinned", "/flags/wordy", "/flags/wordy/edit", "/new-flag",
  "/new-flag?like=form", "/rollouts", "/results", "/results/form", "/results/wordy", "/simulator/form?percent=37", "/simulator/colours", "/simulator/wordy", "/explain",
  "/explain?flag=form&visitor=v-1", "/explain?flag=wordy&visitor=v-1", "/history", "/history?flag=form", "/history?flag=wordy", "/hygiene", "/session",
];
/** Where a dialog opens: the page, and what is pressed. */
const DIALOGS = [
  ["/flags", "#flag-form a[data-dialog]"],
  ["/flags", "#flag-form form button"],
  ["/flags/ramp", ".alarm-act"],
  ["/flags/form", "a[href$='/end']"],
  ["/history", "a[href*='/back']"],
];

const faults = [];
const picture = async (page, name) => {
  const folder = process.env.SCREENSHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name.replace(/[^a-z0-9]+/gi, "_")}.png`, fullPage: !name.includes("dialog") });
};

/** Looks at what is there now, in both schemes. */
async function look(page, name) {
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    const found = [...(await page.evaluate(layoutFaults)), ...(await page.evaluate(contrastFaults))];
    if (colorScheme === "light") found.push(...(await nameless(page)));
    faults.push(...found.map((fault) => `${name} ${colorScheme}: ${fault}`));
    await picture(page, `${name} ${colorScheme}`);
  }
}

/** What the first page costs, with nothing in the cache. */
async function weight(browser, found) {
  const page = await (await window(browser, found)).newPage();
  const sizes = [];
  page.on("requestfinished", (request) => sizes.push(request.sizes()));
  await page.goto(link, { waitUntil: "networkidle" });
  const bytes = (await Promise.all(sizes)).map((size) => size.responseBodySize + size.responseHeadersSize);
  await page.context().close();
  assert.ok(bytes.length >= 3, `the page, its style and its script: ${bytes}`);
  const all = bytes.reduce((sum, one) => sum + one, 0);
  assert.ok(all < FIRST_PAGE, `${all} bytes`);
}

await play(async (browser, found) => {
  await weight(browser, found);
  for (const viewport of SIZES) {
    const page = await signedIn(browser, found, { viewport });
    await page.addInitScript(watchShifts);
    for (const path of PAGES) {
      await page.emulateMedia({ colorScheme: SCHEMES[0] });
      const answer = await page.goto(`${admin}${path}`);
      assert.equal(answer.status(), 200, path);
      await page.evaluate(painted);
      const shifts = await page.evaluate(() => globalThis.shiftsSoFar());
      if (shifts > MOST_SHIFT) faults.push(`${path} ${viewport.width}: the layout shifts by ${shifts}`);
      await look(page, `${path} ${viewport.width}`);
    }
    for (const [path, pressed] of DIALOGS) {
      await page.goto(`${admin}${path}`);
      await page.locator(pressed).first().click();
      await page.locator("dialog[open] h1").waitFor();
      await look(page, `${path} dialog ${pressed} ${viewport.width}`);
    }
    await page.context().close();
  }
  found.expect(401);
  const stranger = await (await window(browser, found, { viewport: SIZES[1] })).newPage();
  await stranger.goto(`${admin}/flags`);
  await look(stranger, "sign in");
  found.check();
  found.expect(404);
  const lost = await signedIn(browser, found, { viewport: SIZES[1] });
  for (const path of ["/flags/none", "/nothing"]) {
    await lost.goto(`${admin}${path}`);
    await look(lost, path);
  }
  assert.equal(faults.join("\n"), "");
});
