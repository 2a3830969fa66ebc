// The pictures of docs/pages.md, in light, 1280 wide. The test `pictures_of_the_documentation` makes them.
import { writeFile } from "node:fs/promises";
import { withPalette } from "./png.js";
import { admin, play, rest, signedIn, tell } from "./scenario.js";

const [folder] = rest;
/** The tallest picture (pixels). */
const HEIGHT = 1000;

await play(async (browser, faults) => {
  const page = await signedIn(browser, faults, { colorScheme: "light" });
  const painter = await browser.newPage();
  const take = async (name, path) => {
    await page.goto(`${admin}${path}`);
    const bottom = await page.locator("main").evaluate((main) => main.lastElementChild.getBoundingClientRect().bottom + 24);
    const clip = { x: 0, y: 0, width: 1280, height: Math.min(Math.ceil(bottom), HEIGHT) };
    await page.setViewportSize({ width: clip.width, height: clip.height });
    await writeFile(`${folder}/${name}.png`, await withPalette(painter, await page.screenshot({ clip })));
  };
  await page.goto(`${admin}/session`);
  await page.getByLabel("Your name").fill("Ada");
  await page.getByLabel("Your name").press("Enter");
  await take("flag", "/flags/new_checkout");
  await take("flags", "/flags");
  await take("simulator", "/simulator/show_new_contact_form?percent=37");
  await tell("a rollout goes well");
  await take("start", "/");
  await take("results", "/results/show_new_contact_form");
  await take("history", "/history");
});
