// The signature of what Flagstaff tells an app (X-Flags-Signature).
"use strict";

const { createHmac, timingSafeEqual } = require("node:crypto");

const SHORTEST_KEY = 32;
const SIGNATURE = /^t=([0-9]{1,15}), v1=([0-9a-f]{64})$/;

/** Keys as an app gives them: a list, or FLAGSTAFF_KEYS as it is, with commas between. */
function keysOf(keys) {
  if (keys === undefined) return [];
  const all = (typeof keys === "string" ? keys.split(",") : [...keys]).map((key) => Buffer.from(key.trim()));
  // What is empty between commas is no key for the program either.
  const list = all.filter((key) => key.length > 0);
  for (const key of list) {
    if (key.length < SHORTEST_KEY) {
      throw new RangeError(`a key of Flagstaff has at least ${SHORTEST_KEY} bytes, and this one has ${key.length}`);
    }
  }
  if (list.length === 0) {
    throw new RangeError(`\`keys\` has no key of at least ${SHORTEST_KEY} bytes: leave it out to believe every header`);
  }
  return list;
}

/** The path of a request as it was sent, without query. Express keeps it in `originalUrl`, where a router has changed `url`. */
function pathOf(request) {
  const target = request.originalUrl ?? request.url ?? "";
  const path = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/i.exec(target)?.[1] ?? target;
  return path.split(/[?#]/, 1)[0] || "/";
}

/** What is wrong with the signature of a request; null when one of the keys made it for this request, not long ago. */
function problemOf(request, headers, keys, tolerance) {
  if (!headers.signature) return "the request has no X-Flags-Signature";
  const found = SIGNATURE.exec(headers.signature);
  if (found === null) return "X-Flags-Signature cannot be read";
  const [, t, v1] = found;
  const text = [t, headers.visitor ?? "", headers.text, request.method ?? "GET", pathOf(request)].join("\n");
  // Node reads header fields as Latin-1.
  const isGood = (key) => timingSafeEqual(createHmac("sha256", key).update(text, "latin1").digest(), Buffer.from(v1, "hex"));
  if (!keys.some(isGood)) return "X-Flags-Signature was not made for this request with one of the keys";
  const age = Date.now() / 1000 - Number(t);
  return Math.abs(age) > tolerance ? `X-Flags-Signature is ${Math.round(age)} seconds old` : null;
}

module.exports = { keysOf, problemOf };
