// An old revision is put back from the history.
import assert from "node:assert/strict";
import { admin, play, signedIn, tell } from "./scenario.js";

await play(async (browser, faults) => {
  const page = await signedIn(browser, faults);
  await page.getByRole("link", { name: "History", exact: true }).click();
  await page.getByRole("listitem").filter({ hasText: "in the file now" }).getByRole("link").first().click();
  assert.deepEqual(await page.locator(".diff .gone").allInnerTexts(), ["- percent = 100 # everybody"]);
  assert.deepEqual(await page.locator(".diff .come").allInnerTexts(), ["+ percent = 30 # by hand"]);

  await page.goto(`${admin}/history`);
  await page.getByRole("link", { name: "Put it back" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading", { name: /^Put all flags back as in/ }).waitFor();
  assert.deepEqual(await dialog.locator(".diff .come").allInnerTexts(), ["+ percent = 100 # everybody"]);
  await tell("it is shown what comes back");
  await dialog.getByRole("button", { name: "Put it back" }).click();
  await page.getByRole("status").waitFor();
  await tell("it is put back");
  await page.goto(`${admin}/history`);
  assert.equal(await page.getByText("in the file now").count(), 1);
});
