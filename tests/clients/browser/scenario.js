// What the scenarios share: a browser with the session of an operator, what went wrong in it, and a word with the test that started it.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

/** The link with the token, the site behind the proxy, and what is said to this scenario alone. */
export const [link, site, ...rest] = process.argv.slice(2);
/** The operators' address. */
export const admin = new URL(link).origin;

/** As long as anything may take on a busy machine (milliseconds). */
const LIMIT = 20_000;

const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Says to the test where the scenario stands, and waits until the test has looked. */
export async function tell(step, facts = {}) {
  console.log(JSON.stringify({ step, ...facts }));
  if ((await input.next()).done) throw new Error("the test is gone");
}

/** Waits until `look` gives something true, and returns that. */
export async function until(what, look) {
  for (const start = Date.now(); Date.now() - start < LIMIT; ) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`not in time: ${what}`);
}

/** Collects what must not happen in a browser: errors in the console, scripts that fail, requests to any other host. */
class Faults {
  #found = [];
  #expected = [];

  watch(context, hosts) {
    context.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        this.#found.push(`${message.location().url}: ${message.text()}`);
      }
    });
    context.on("weberror", (error) => this.#found.push(`${error.page()?.url()}: ${error.error()}`));
    context.on("request", (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol !== "data:" && !hosts.includes(origin)) this.#found.push(`a request to ${request.url()}`);
    });
  }

  /** A browser reports an answer with a status of 400 or more as an error, also where that answer is the right one. */
  expect(status) {
    this.#expected.push(`status of ${status}`);
  }

  check() {
    const unexpected = this.#found.filter((text) => !this.#expected.some((expected) => text.includes(expected)));
    assert.equal(unexpected.join("\n"), "");
  }
}

/** A window of an operator who has opened the link. `options` are those of a context. */
export async function signedIn(browser, faults, options = {}) {
  const context = await window(browser, faults, options);
  const page = await context.newPage();
  await page.goto(link);
  assert.equal(page.url(), `${admin}/`, "the link leads to the first page, and the token is no longer in the address");
  return page;
}

/** A window of somebody who was not here yet. */
export async function window(browser, faults, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB", ...options });
  context.setDefaultTimeout(LIMIT);
  faults.watch(context, [admin, site]);
  return context;
}

/** Plays a scenario to its end in a browser of its own. */
export async function play(scenario) {
  const faults = new Faults();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    headless: true,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
    ],
  });
  try {
    await scenario(browser, faults);
    faults.check();
    await tell("end");
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
  process.exit();
}
