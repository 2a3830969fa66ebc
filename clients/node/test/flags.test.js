"use strict";

const assert = require("node:assert/strict");
const { createHmac } = require("node:crypto");
const { join } = require("node:path");
const test = require("node:test");

const { flagReader, flags } = require("../src/index.js");

const KEY = "a key of at least thirty-two bytes for tests";
const seconds = () => Math.floor(Date.now() / 1000);

function signed({ t = seconds(), key = KEY, path = "/contact", list = "form=on", visitor = "somebody" } = {}) {
  const v1 = createHmac("sha256", key).update([t, visitor, list, "GET", path].join("\n")).digest("hex");
  return { "x-flags": list, "x-visitor-id": visitor, "x-flags-signature": `t=${t}, v1=${v1}` };
}

test("flags are read from each header and from the list", () => {
  const read = flags({ headers: { "x-flag-new-form": "on", "x-flags": 'prices="2.0", form=on', "x-visitor-id": "v" } });
  assert.ok(read.isOn("new_form") && read.isOn("form"));
  assert.equal(read.variant("prices", "classic"), "2.0");
  assert.equal(read.variant("unknown", "classic"), "classic");
  assert.deepEqual([read.visitor, read.source, read.isOn("unknown")], ["v", "headers", false]);
  assert.deepEqual(JSON.parse(JSON.stringify(read)), { prices: "2.0", form: "on", new_form: "on" });
});

test("headers of the Fetch standard are read as well", () => {
  const request = new Request("http://shop/contact?x=1", { headers: signed() });
  assert.ok(flags(request, { keys: KEY }).isOn("form"));
});

test("a list that is not understood completely says nothing", () => {
  for (const list of ["form=on, Broken", "form", "form=on,", 'form="on', "__proto__=on", "x".repeat(300_000)]) {
    assert.equal(flags({ headers: { "x-flags": list, "x-visitor-id": "v" } }).isOn("form"), false, list.slice(0, 20));
  }
});

// The package for Python reads the same file, so that both make the same of a request.
test("a request means what it means in Python", () => {
  for (const request of require(join(__dirname, "../../python/tests/vectors/headers.json"))) {
    const list = request.headers["x-flags"] ?? "";
    const signature = request.signed ? signed({ list, path: "/", visitor: request.headers["x-visitor-id"] }) : {};
    const headers = { ...signature, ...request.headers };
    const read = flags({ headers, method: "GET", url: "/" }, { defaults: request.defaults, keys: request.signed ? KEY : undefined });
    const found = Object.fromEntries(Object.keys(request.variants).map((name) => [name, read.variant(name, "fallback")]));
    const wanted = [request.source, request.visitor, request.variants];
    assert.deepEqual([read.source, read.visitor ?? null, found], wanted, JSON.stringify(request));
  }
});

test("names of JavaScript are no flags", () => {
  const read = flags({ headers: {} }, { defaults: { form: true, prices: "simple", old: false } });
  for (const name of ["constructor", "__proto__", "toString"]) assert.equal(read.isOn(name), false, name);
  assert.deepEqual([read.isOn("form"), read.variant("prices"), read.isOn("old")], [true, "simple", false]);
});

test("defaults are for requests that did not come through Flagstaff", () => {
  const came = flags({ headers: { "x-visitor-id": "v" } }, { defaults: { form: true } });
  assert.equal(came.isOn("form"), false, "it is off for this visitor");
});

test("with keys only what is signed counts", () => {
  const read = flagReader({ keys: `another-key-of-thirty-two-bytes-or-more,${KEY}`, defaults: { prices: "simple" } });
  const ask = (headers, url = "/contact?page=2") => read({ headers, method: "GET", url });
  assert.deepEqual([ask(signed()).isOn("form"), ask(signed()).visitor], [true, "somebody"]);
  assert.equal(ask({ ...signed(), "x-flag-secret": "on" }).isOn("secret"), false, "X-Flag-… is not signed");
  const routed = { headers: signed(), method: "GET", url: "/", originalUrl: "/contact" };
  assert.ok(read(routed).isOn("form"), "Express changes url");
  const bad = {
    none: { "x-flags": "form=on" },
    "another list": { ...signed(), "x-flags": "form=on, more=on" },
    "another visitor": { ...signed(), "x-visitor-id": "me" },
    "another key": signed({ key: "a key that nobody has told to this app" }),
    old: signed({ t: seconds() - 120 }),
    "of tomorrow": signed({ t: seconds() + 120 }),
    broken: { ...signed(), "x-flags-signature": "t=1, v1=zz" },
  };
  for (const [why, headers] of Object.entries(bad)) {
    const found = ask(headers);
    assert.deepEqual([found.isOn("form"), found.source, found.variant("prices")], [false, "defaults", "simple"], why);
  }
  assert.equal(ask(signed(), "/admin").isOn("form"), false, "another path");
  assert.ok(flagReader({ keys: [KEY], tolerance: 600 })({ headers: signed({ t: seconds() - 120 }), method: "GET", url: "/contact" }).isOn("form"));
});

test("keys that protect nothing are refused", () => {
  assert.throws(() => flagReader({ keys: "short" }), /at least 32 bytes/);
  assert.throws(() => flagReader({ keys: [] }), /no key/);
  for (const keys of ["", ",", " , ", [""], `${KEY},short`]) assert.throws(() => flagReader({ keys }), /at least 32 bytes/);
});

test("what is empty between commas is no key", () => {
  for (const keys of [`${KEY},`, `,${KEY}`, ` , ${KEY} ,,`, [KEY, ""]]) {
    assert.ok(flagReader({ keys })({ headers: signed(), method: "GET", url: "/contact" }).isOn("form"));
  }
});
