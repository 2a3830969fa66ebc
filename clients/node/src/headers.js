// From the headers of a request to its flags.
"use strict";

const LONGEST = 256 * 1024;
const NAME = /^[a-z][a-z0-9_]{0,63}$/;
const MEMBER = /^([a-z][a-z0-9_]{0,63})=(?:([A-Za-z][A-Za-z0-9_.-]*)|"([A-Za-z0-9_.-]*)")$/;

/** The headers of Node (an object) or of the Fetch standard, as pairs of a lower-case name and a text. */
function pairs(headers) {
  const all = typeof headers.entries === "function" ? [...headers.entries()] : Object.entries(headers);
  const text = (value) => (Array.isArray(value) ? value.join(", ") : String(value ?? ""));
  return all.map(([name, value]) => [name.toLowerCase(), text(value).trim()]);
}

/** What of a request's headers is ours. */
function readHeaders(headers) {
  // `list` is null when it cannot be read.
  const found = { each: new Map(), list: new Map(), text: "", visitor: undefined, signature: undefined };
  for (const [name, value] of pairs(headers)) {
    if (name === "x-flags") {
      found.text = value;
      found.list = readDictionary(value);
    } else if (name === "x-visitor-id") found.visitor = value;
    else if (name === "x-flags-signature") found.signature = value;
    else if (name.startsWith("x-flag-")) {
      const flag = name.slice("x-flag-".length).replaceAll("-", "_");
      if (NAME.test(flag)) found.each.set(flag, value);
    }
  }
  return found;
}

/** A dictionary of RFC 9651. One that is not understood completely says nothing: null. */
function readDictionary(text) {
  const flags = new Map();
  if (text === "") return flags;
  if (text.length > LONGEST) return null;
  for (const member of text.split(",")) {
    const found = MEMBER.exec(member.replace(/^[ \t]+|[ \t]+$/g, ""));
    if (found === null) return null;
    flags.set(found[1], found[2] ?? found[3]);
  }
  return flags;
}

module.exports = { readHeaders };
