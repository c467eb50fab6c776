// Other versions of Node, which come from npm, each into a folder of its own: what is run on them.

import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { node, npm, run } from "./child.mjs";
import { changedAt } from "./files.mjs";
import { test } from "./test.mjs";

const VERSIONS = [22, 24];
// In browsers, which are the same whoever drives them, and those that plant a bug, which test the tests.
const LEFT_OUT = ["--test-skip-pattern=/^[A-Z]+[0-9]+ is found: /"];
const BROWSERS = /^build.test.browser/;
const SYSTEM = process.platform === "win32" ? "win" : process.platform;

/** The tests, on each. */
export async function checkNodes(args) {
  const failed = [];
  for (const version of VERSIONS) {
    const program = await nodeOf(version);
    if (program === undefined) return 1;
    console.log(`\ncheck-nodes: the tests on Node ${version}, which is`);
    await run(program, ["--version"]);
    if ((await test([...LEFT_OUT, ...args], { program, skip: BROWSERS })) !== 0) failed.push(version);
  }
  const list = VERSIONS.map((version) => `${version} ${failed.includes(version) ? "FAILED" : "passed"}`);
  console.log(`\ncheck-nodes: ${list.join(", ")}`);
  return failed.length === 0 ? 0 : 1;
}

/** Runs a script with the Node that `--node VERSION` names, or with this one. The other arguments are the script's. */
export async function withNode(script, args) {
  const at = args.indexOf("--node");
  if (at < 0) return node("--enable-source-maps", script, ...args);
  const version = args[at + 1];
  if (!/^\d{2}(\.\d+){0,2}$/.test(version)) {
    console.error(`--node takes a version, as 24 or 24.1.0, not "${version}"`);
    return 2;
  }
  const program = await nodeOf(version);
  const others = args.toSpliced(at, 2);
  return program === undefined ? 1 : run(program, ["--enable-source-maps", script, ...others]);
}

/** The program, installed if need be; undefined: it cannot be. */
async function nodeOf(version) {
  const folder = `build/nodes/${version}`;
  const program = join(folder, "node_modules/node/bin", SYSTEM === "win" ? "node.exe" : "node");
  if (changedAt(program) === 0 && (await install(version, folder)) !== 0) return undefined;
  return resolve(program);
}

/** A package.json of its own keeps npm from touching the project's node_modules. */
function install(version, folder) {
  console.error(`installing Node ${version} into ${folder}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const from = `node@npm:node-${SYSTEM}-${process.arch}@${version}`;
  return npm(["install", "--no-save", "--no-audit", "--no-fund", from], { cwd: folder });
}
