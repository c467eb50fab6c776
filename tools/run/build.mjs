// The build: tools, then src -> build/src -> dist, then what uses dist (tests, benchmarks, examples).

import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { node, tsc } from "./child.mjs";
import { changedAt, filesIn, newest } from "./files.mjs";

const STAMP = "build/.stamp";
const SOURCES = ["src", "check", "test", "bench", "tools", "docs/examples", "package.json"];
const CONFIGS = ["", ".base", ".check", ".core", ".dev", ".tools"].map((name) => `tsconfig${name}.json`);
const COMPILED = ["src", "check", "test", "bench", "tools", "docs/examples"];

/**
 * Builds if a source is newer than the last good build; resolves to whether the build is good.
 *
 * A type error does not stop the steps after it, since tsc writes its output anyway: with `--anyway`, tests
 * can run while some other file is half written.
 */
export async function ensureBuild() {
  const { path, time } = newest([...SOURCES, ...CONFIGS]);
  const stamp = changedAt(STAMP);
  if (stamp >= time && existsSync("dist")) return true;
  console.log(stamp === 0 ? "build: there is none yet" : `build: ${path} changed since the last one`);
  return build();
}

export async function build() {
  const start = new Date();
  for (const folder of COMPILED) prune(folder);
  const steps = [
    () => tsc("tsconfig.tools.json"),
    () => compile("src", "tsconfig.json"),
    () => node("--enable-source-maps", "build/tools/inline/main.js"),
    () => tsc("tsconfig.check.json"),
    () => tsc("tsconfig.dev.json"),
  ];
  let good = true;
  for (const step of steps) good = (await step()) === 0 && good;
  if (good) stampAt(start);
  else console.error("build: failed, see the errors above");
  return good;
}

async function compile(folder, project) {
  if (filesIn(folder, ".ts").length > 0) return tsc(project);
  console.error(`build: ${folder} has no .ts files`);
  return 1;
}

/** Removes output whose source is gone, so that a deleted test does not go on running. */
function prune(folder) {
  for (const path of filesIn(join("build", folder))) {
    const stem = path.slice("build/".length).replace(/(\.d\.ts|\.js|\.js\.map|\.d\.ts\.map)$/, "");
    if (!existsSync(`${stem}.ts`)) rmSync(path);
  }
}

/** The stamp bears the time of the start: what changes during a build is newer. */
function stampAt(time) {
  mkdirSync("build", { recursive: true });
  writeFileSync(STAMP, "");
  utimesSync(STAMP, time, time);
}
