// With JavaScript off: lists can be filtered, an edit is shown, saved and undone, and a flag is turned off.
import assert from "node:assert/strict";
import { admin, play, signedIn, tell } from "./scenario.js";

await play(async (browser, faults) => {
  const page = await signedIn(browser, faults, { javaScriptEnabled: false });
  await page.getByRole("link", { name: "Flags", exact: true }).click();
  await page.getByLabel("Name or description").fill("shorter");
  await page.getByRole("button", { name: "Filter" }).click();
  assert.ok(page.url().includes("text=shorter"), page.url());
  assert.deepEqual(await page.locator("tbody .name").allInnerTexts(), ["form"]);

  await page.getByRole("spinbutton", { name: "Percent of form" }).fill("20");
  await page.getByRole("row").filter({ hasText: "form" }).getByRole("button", { name: "Save" }).click();
  await page.waitForURL(`${admin}/flags/form/preview`);
  assert.deepEqual(await page.locator("main td").allInnerTexts(), ["percent", "100", "20"]);
  await tell("it is shown what the edit does");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.waitForURL(`${admin}/flags/form`);
  await tell("it is saved");
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.waitForURL(`${admin}/flags/form`);
  await tell("it is undone");

  await page.getByRole("link", { name: "Turn off" }).click();
  await page.waitForURL(`${admin}/flags/form/off`);
  await page.getByRole("button", { name: "Turn off" }).click();
  await page.waitForURL(`${admin}/flags/form`);
  assert.match(await page.getByRole("status").innerText(), /form is now off for everyone/);
  await tell("it is off");

  await page.goto(`${admin}/simulator/form`);
  await page.getByRole("slider").fill("37");
  await page.getByRole("button", { name: "Simulate", exact: true }).click();
  assert.match(await page.locator("#simulation").innerText(), /^At 37 %, 10,000 visitors/);
});
