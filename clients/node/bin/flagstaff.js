#!/usr/bin/env node
// Runs the program, which a package of its own carries for each platform.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");

// What the program listens to: stop, read files again, be replaced.
const PASSED_ON = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
const FROM_KEYS = ["SIGINT", "SIGQUIT"];

function program() {
  const platform = `${process.platform}-${process.arch}`;
  try {
    return require.resolve(`flagstaff-${platform}/bin/flagstaff`);
  } catch {
    const why =
      `flagstaff: there is no program for ${platform} here: the package flagstaff-${platform} is not installed. ` +
      "Install without --omit=optional; for other platforms, build the program from source.\n";
    process.stderr.write(why, () => process.exit(2));
    return null;
  }
}

function run(path) {
  const child = spawn(path, process.argv.slice(2), { stdio: "inherit" });
  // A key of a terminal is told to both; told twice, the program would not wait for its last answers.
  const isTold = (signal) => process.stdin.isTTY && FROM_KEYS.includes(signal);
  for (const signal of PASSED_ON) process.on(signal, () => isTold(signal) || child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`flagstaff: ${path} cannot be run: ${error.message}\n`);
    process.exitCode = 2;
  });
  // As shells say that a program was ended by a signal.
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

const path = program();
if (path !== null) run(path);
