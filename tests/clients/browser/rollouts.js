// A person on call: approves a step that waits, and rolls a flag back with the red button.
import assert from "node:assert/strict";
import { admin, play, signedIn, tell } from "./scenario.js";

await play(async (browser, faults) => {
  const page = await signedIn(browser, faults);
  const need = page.getByRole("listitem").filter({ hasText: "ramp" }).filter({ hasText: "for an approval" });
  await need.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("status").waitFor();
  await tell("it is approved", { said: await page.getByRole("status").innerText() });
  await page.goto(`${admin}/flags/ramp`);
  await page.getByRole("listitem").filter({ hasText: "100 %" }).filter({ hasText: "now" }).waitFor();

  await page.goto(`${admin}/flags/form`);
  const red = page.getByRole("link", { name: "Roll back now" });
  const { colour, right, top } = await red.evaluate((button) => {
    const { right, top } = button.getBoundingClientRect();
    const dot = new OffscreenCanvas(1, 1).getContext("2d");
    dot.fillStyle = getComputedStyle(button).backgroundColor;
    dot.fillRect(0, 0, 1, 1);
    const main = document.querySelector("main");
    const padding = Number.parseFloat(getComputedStyle(main).paddingRight);
    return { colour: [...dot.getImageData(0, 0, 1, 1).data], right: main.getBoundingClientRect().right - padding - right, top };
  });
  assert.ok(colour[0] > 150 && colour[1] < 60 && colour[2] < 60, `it is red: ${colour}`);
  assert.ok(Math.abs(right) < 2 && top < 200, `it is top right: ${right} from the right, ${top} from the top`);
  await red.click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading", { name: "Roll back form now?" }).waitFor();
  await tell("it is asked whether to roll it back");
  await dialog.getByRole("button", { name: "Roll back form now" }).click();
  await page.getByText("form is now off for everyone").waitFor();
  await tell("it is rolled back");
});
