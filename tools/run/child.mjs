// Child processes that share the terminal, pass their exit code on and get the signals that we get.

import { spawn } from "node:child_process";
import { constants } from "node:os";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Runs a program and resolves to its exit code (128 + n if signal n ended it). */
export function run(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: "inherit", ...options });
    const forward = (signal) => child.kill(signal);
    for (const signal of SIGNALS) process.on(signal, forward);
    const done = (code) => {
      for (const signal of SIGNALS) process.off(signal, forward);
      resolve(code);
    };
    child.on("error", (error) => {
      console.error(`${program} cannot be started: ${error.message}`);
      done(127);
    });
    child.on("exit", (code, signal) => done(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

/** Runs a script with this same Node. */
export function node(...args) {
  return run(process.execPath, args);
}

export function npm(args, options = {}) {
  const script = process.env.npm_execpath;
  if (script?.endsWith(".js")) return run(process.execPath, [script, ...args], options);
  return run("npm", args, { shell: process.platform === "win32", ...options });
}

/** The compiler is started by its script, since node_modules/.bin differs between systems. */
export function tsc(project, ...args) {
  return node("node_modules/typescript/bin/tsc", "-p", project, ...args);
}
