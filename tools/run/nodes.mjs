// Other versions of Node, which come from npm, each into a folder of its own: what is run on them.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { npm, run } from "./child.mjs";
import { changedAt } from "./files.mjs";
import { test } from "./test.mjs";

const VERSIONS = [22, 24];
/** From 20 on. */
const VERSION = /^2\d(\.\d+){0,2}$/;
const OPTIONS = { node: { type: "string" }, help: { type: "boolean", short: "h" } };
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

/** Runs a script, which gets the same arguments, on the Node that `--node VERSION` names; else on this one. */
export async function withNode(script, args) {
  const { node: version, help } = parseArgs({ args, options: OPTIONS, strict: false }).values;
  const isOther = typeof version === "string" && VERSION.test(version) && !help;
  // the script says what is wrong with a version
  const program = isOther ? await nodeOf(version) : process.execPath;
  return program === undefined ? 1 : run(program, ["--enable-source-maps", script, ...args]);
}

/** The program, installed if need be; undefined: it cannot be. */
async function nodeOf(version) {
  const folder = `build/nodes/${version}`;
  const program = join(folder, "node_modules/node/bin", SYSTEM === "win" ? "node.exe" : "node");
  if (changedAt(program) > 0) return resolve(program);
  if ((await install(version, folder)) === 0) return resolve(program);
  console.error(`Node ${version} cannot be installed, see above: is there such a version for ${SYSTEM}?`);
  rmSync(folder, { recursive: true, force: true });
  return undefined;
}

/** A package.json of its own keeps npm from touching the project's node_modules. */
function install(version, folder) {
  console.error(`installing Node ${version} into ${folder}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const from = `node@npm:node-${SYSTEM}-${process.arch}@${version}`;
  // nothing on standard output, where a program may expect JSON
  const stdio = [0, 2, 2];
  return npm(["install", "--no-save", "--no-audit", "--no-fund", from], { cwd: folder, stdio });
}
