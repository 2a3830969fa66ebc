// Without a mouse: a flag is turned off and an edit saved with Tab and Enter alone, and it can always be seen where the keyboard is.
import assert from "node:assert/strict";
import { admin, play, signedIn, tell } from "./scenario.js";

/** More than any page has of what can be reached. */
const PRESSES = 200;

await play(async (browser, faults) => {
  const page = await signedIn(browser, faults);
  const focused = () =>
    page.evaluate(() => {
      const one = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(one);
      const { top, bottom, left, right } = one.getBoundingClientRect();
      const name = one.getAttribute("aria-label") ?? (one.innerText?.trim() || one.name || one.tagName);
      return {
        name,
        row: one.closest("tr")?.id,
        isBody: one === document.body,
        // the browser marks the part of a date that has the focus
        isSeen: (one.type === "date" || (outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2)) && bottom > 0 && top < innerHeight && right > 0 && left < innerWidth,
      };
    });
  const tabTo = async (name, row) => {
    for (let press = 0; press < PRESSES; press += 1) {
      await page.keyboard.press("Tab");
      const now = await focused();
      if (now.isBody) continue; // the browser's own buttons
      assert.ok(now.isSeen, `it cannot be seen that ${JSON.stringify(now)} has the focus`);
      if (now.name === name && (!row || now.row === row)) return;
    }
    assert.fail(`Tab does not lead to ${name}`);
  };
  const dialog = page.getByRole("dialog");

  await page.keyboard.press("Tab");
  assert.equal((await focused()).name, "Skip to the content", "first of all");
  await tabTo("Flags");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${admin}/flags`);

  await tabTo("Turn off", "flag-form");
  await page.keyboard.press("Enter");
  await dialog.getByRole("heading", { name: "Turn off form?" }).waitFor();
  assert.equal((await focused()).name, "Turn off form", "Enter confirms");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  assert.deepEqual([(await focused()).name, (await focused()).row], ["Turn off", "flag-form"], "back where it was");
  await tell("left with Escape");
  await page.keyboard.press("Enter");
  await dialog.getByRole("heading", { name: "Turn off form?" }).waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog")), "Tab stays in the dialog");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Enter");
  await dialog.getByRole("heading", { name: "Turn off form?" }).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(`${admin}/flags/form`);
  await tell("it is off");

  await tabTo("Edit");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${admin}/flags/form/edit`);
  await tabTo("percent");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("35");
  await page.keyboard.press("Enter");
  await dialog.getByRole("heading", { name: "Save this change of form?" }).waitFor();
  assert.equal((await focused()).name, "Save", "Enter confirms");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${admin}/flags/form`);
  await tell("an edit is saved");
});
