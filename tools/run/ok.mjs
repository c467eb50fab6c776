// All checks but the tests: each runs, even after a failure, and a table at the end says how each went.

import { ensureBuild } from "./build.mjs";
import { node, tsc } from "./child.mjs";

const CHECKS = {
  build: async () => ((await ensureBuild()) ? 0 : 1),
  types: () => each("tsconfig.tools.json", "tsconfig.json", "tsconfig.core.json", "tsconfig.dev.json"),
  biome: () => node("node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings"),
  layers: () => node("build/tools/layers.js"),
  tidy: () => node("build/tools/tidy.js"),
  docs: () => node("build/tools/docs.js"),
  pack: () => node("build/tools/pack.js"),
  size: () => node("build/tools/size.js"),
};

/** Runs the named checks, or all. */
export async function ok(names) {
  const wrong = names.filter((name) => !Object.hasOwn(CHECKS, name));
  if (wrong.length > 0) {
    console.error(`ok: no check is called ${wrong.join(", ")}; there are ${Object.keys(CHECKS).join(", ")}`);
    return 2;
  }
  const results = [];
  for (const name of names.length > 0 ? names : Object.keys(CHECKS)) results.push(await check(name));
  console.log("");
  for (const { name, good, time } of results) {
    console.log(`${good ? "pass" : "FAIL"}  ${name.padEnd(8)} ${(time / 1000).toFixed(1)} s`);
  }
  return results.every(({ good }) => good) ? 0 : 1;
}

async function check(name) {
  console.log(`\n== ${name}`);
  const start = performance.now();
  const code = await CHECKS[name]();
  return { name, good: code === 0, time: performance.now() - start };
}

async function each(...projects) {
  let code = 0;
  for (const project of projects) code = (await tsc(project, "--noEmit")) || code;
  return code;
}
