// The flags of a request that came through Flagstaff.
"use strict";

const { readHeaders } = require("./headers.js");
const { keysOf, problemOf } = require("./signature.js");

const OFF = "off";
const ON = "on";

class Flags {
  #variants;
  #defaults;

  constructor(variants, defaults, visitor, source) {
    this.#variants = variants;
    this.#defaults = defaults;
    this.visitor = visitor;
    this.source = source;
    Object.freeze(this);
  }

  isOn(name) {
    return this.variant(name) !== OFF;
  }

  variant(name, fallback = OFF) {
    const known = this.#variants.get(name) ?? (this.source === "defaults" ? this.#defaults.get(name) : undefined);
    return known === undefined || known === OFF ? fallback : known;
  }

  toJSON() {
    return Object.fromEntries(this.#variants);
  }
}

function defaultsOf(defaults) {
  const spoken = ([name, variant]) => [name, typeof variant === "boolean" ? (variant ? ON : OFF) : String(variant)];
  return new Map(Object.entries(defaults ?? {}).map(spoken));
}

const warned = new Set();

/** Once for each process and problem: what is wrong with one request is mostly wrong with all. */
function warnOnce(problem) {
  // How old a signature is does not make it another problem.
  const kind = problem.replace(/-?[0-9]+/g, "");
  if (warned.has(kind)) return;
  warned.add(kind);
  process.emitWarning(`${problem}: such requests get the defaults`, "FlagstaffWarning");
}

/** All other flags are off where everything was told and understood. Flagstaff says always who the visitor is, also when all are off. */
function sourceOf(headers, keys) {
  const told = headers.list !== null && (keys.length > 0 || headers.visitor !== undefined);
  return told ? "headers" : "defaults";
}

function flagReader(options = {}) {
  const keys = keysOf(options.keys);
  const tolerance = options.tolerance ?? 60;
  const defaults = defaultsOf(options.defaults);
  const without = new Flags(new Map(), defaults, undefined, "defaults");
  return (request) => {
    const headers = readHeaders(request.headers);
    if (keys.length > 0) {
      const problem = problemOf(request, headers, keys, tolerance);
      if (problem !== null) {
        warnOnce(problem);
        return without;
      }
    }
    if (headers.list === null) warnOnce("X-Flags cannot be read");
    // X-Flag-… is not signed, so with keys X-Flags alone counts.
    const variants = new Map([...(keys.length > 0 ? [] : headers.each), ...(headers.list ?? [])]);
    return new Flags(variants, defaults, headers.visitor, sourceOf(headers, keys));
  };
}

const flags = (request, options) => flagReader(options)(request);

exports.Flags = Flags;
exports.flagReader = flagReader;
exports.flags = flags;
