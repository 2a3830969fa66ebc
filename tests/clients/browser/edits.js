// An operator turns a flag off and on, edits a percentage, and meets an edit by hand.
import assert from "node:assert/strict";
import { admin, play, signedIn, tell } from "./scenario.js";

await play(async (browser, faults) => {
  const page = await signedIn(browser, faults);
  const dialog = page.getByRole("dialog");
  const row = page.getByRole("row").filter({ has: page.getByRole("link", { name: "form", exact: true }) });

  await page.getByRole("link", { name: "Flags", exact: true }).click();
  await row.getByRole("link", { name: "Turn off" }).click();
  await dialog.getByRole("heading", { name: "Turn off form?" }).waitFor();
  assert.match(await dialog.innerText(), /To undo it/);
  await tell("asked whether to turn it off");
  await dialog.getByRole("button", { name: "Turn off" }).click();
  await page.waitForURL(`${admin}/flags/form`);
  assert.match(await page.getByRole("status").innerText(), /form is now off for everyone/);
  await tell("it is off");
  await page.getByRole("link", { name: "Turn on" }).click();
  await dialog.getByRole("button", { name: "Turn on" }).click();
  await page.getByText("form is now on").waitFor();
  await tell("it is on");

  const percent = page.getByRole("spinbutton", { name: "Percent of form" });
  await page.goto(`${admin}/flags`);
  await percent.fill("20");
  await row.getByRole("button", { name: "Save" }).click();
  await dialog.getByRole("heading", { name: "Save this change of form?" }).waitFor();
  assert.deepEqual(await dialog.locator("td").allInnerTexts(), ["percent", "100", "20"]);
  await tell("it is shown what the edit does");
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await page.waitForURL(`${admin}/flags/form`);
  await tell("it is saved");

  faults.expect(409);
  await page.goto(`${admin}/flags`);
  assert.equal(await percent.inputValue(), "20");
  await tell("the page is open");
  await percent.fill("60");
  await row.getByRole("button", { name: "Save" }).click();
  await dialog.getByRole("heading", { name: "The file changed meanwhile" }).waitFor();
  assert.deepEqual(await dialog.locator("td").allInnerTexts(), ["percent", "20", "40 changed", "60"]);
  await tell("the conflict is shown");
  await dialog.getByRole("button", { name: "Look at mine again" }).click();
  await dialog.getByRole("heading", { name: "Save this change of form?" }).waitFor();
  assert.deepEqual(await dialog.locator("td").allInnerTexts(), ["percent", "40", "60"]);
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await page.waitForURL(`${admin}/flags/form`);
  await tell("mine is saved all the same");
});
