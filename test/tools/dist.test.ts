// The build can be loaded as it is: a browser resolves relative paths, and in a worklet nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { importsOf, readSources } from "../../tools/lib/source.ts";

const DIST = fileURLToPath(new URL("../../../dist", import.meta.url));

test("the library's modules import each other by relative paths", () => {
  const modules = readSources(DIST, (path) => /\.(js|d\.ts)$/.test(path) && !path.includes("/cli/"));
  assert.ok(modules.length > 50);
  for (const module of modules) {
    for (const { specifier } of importsOf(module)) assert.match(specifier, /^\.\.?\/.*\.js$/, module.path);
  }
});
