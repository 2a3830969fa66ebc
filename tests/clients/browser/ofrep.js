// OpenFeature's web SDK with its OFREP provider, unchanged, on a page of the site: what it gets, and what it hears of a change.
import { play, site, tell, window } from "./scenario.js";

await play(async (browser, faults) => {
  const page = await (await window(browser, faults)).newPage();
  const told = () => page.evaluate(() => globalThis.told());
  await page.goto(site);
  await page.getByText("ready").waitFor();
  await tell("it is ready", await told());
  await page.getByText("changed: for_all").waitFor();
  await tell("it heard of a change", await told());
});
