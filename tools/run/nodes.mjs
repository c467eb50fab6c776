// Runs the tests on other versions of Node, which come from npm into a folder of their own.
//
// Without those in browsers, which are the same whoever drives them, and those that plant a bug, which test the tests.

import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { npm, run } from "./child.mjs";
import { changedAt } from "./files.mjs";
import { test } from "./test.mjs";

const FOLDER = "build/nodes";
const VERSIONS = [22, 24];
const FOR_ALL = ["--test-skip-pattern=/^[A-Z]+[0-9]+ is found: /"];
const BROWSERS = /^build.test.browser/;
const SYSTEM = process.platform === "win32" ? "win" : process.platform;

export async function checkNodes(args) {
  const code = await install();
  if (code !== 0) return code;
  const failed = [];
  for (const version of VERSIONS) {
    const program = resolve(binary(version));
    console.log(`\ncheck-nodes: the tests on Node ${version}, which is`);
    await run(program, ["--version"]);
    if ((await test([...FOR_ALL, ...args], { program, skip: BROWSERS })) !== 0) failed.push(version);
  }
  const list = VERSIONS.map((version) => `${version} ${failed.includes(version) ? "FAILED" : "passed"}`);
  console.log(`\ncheck-nodes: ${list.join(", ")}`);
  return failed.length === 0 ? 0 : 1;
}

function binary(version) {
  const file = SYSTEM === "win" ? "node.exe" : "node";
  return join(FOLDER, "node_modules", `node${version}`, "bin", file);
}

/** A package.json of its own keeps npm from touching the project's node_modules. */
async function install() {
  if (VERSIONS.every((version) => changedAt(binary(version)) > 0)) return 0;
  console.log(`check-nodes: installing Node ${VERSIONS.join(" and ")} into ${FOLDER}`);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, "package.json"), '{ "private": true }\n');
  const packages = VERSIONS.map((version) => `node${version}@npm:node-${SYSTEM}-${process.arch}@${version}`);
  return npm(["install", "--no-save", "--no-audit", "--no-fund", ...packages], { cwd: FOLDER });
}
