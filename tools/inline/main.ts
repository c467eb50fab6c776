// build/src -> dist: inlines .js files (see inline.ts), copies .d.ts files. Run by `npm run build`.
//
// "#primitive" is a name that only package managers' resolvers know, and there to be replaced by the model checker.
// In dist it is a relative path: so browsers load the package as it is, in worklets too, which have no import maps.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import remapping from "@jridgewell/remapping";
import MagicString from "magic-string";
import { Constants } from "./constants.ts";
import { type Inlined, inline } from "./inline.ts";

const FROM = "build/src";
const TO = "dist";
const PRIMITIVE = "sync/primitive.js";

const constants = new Constants({
  read: (path) => (existsSync(path) ? readFileSync(path, "utf8") : undefined),
  resolve: (specifier, from) => join(dirname(from), specifier),
});

function main(): void {
  const files = readdirSync(FROM, { recursive: true, encoding: "utf8" });
  const written = new Set<string>();
  for (const file of files) {
    if (file.endsWith(".d.ts")) written.add(emitDeclarations(file));
    else if (file.endsWith(".js")) for (const path of emitScript(file)) written.add(path);
  }
  removeOthers(written);
}

function emitDeclarations(file: string): string {
  const text = readFileSync(join(FROM, file), "utf8");
  return emit(file, withPrimitive(declarations(text), file));
}

function emitScript(file: string): string[] {
  const path = join(FROM, file);
  const { code, map } = inlineOrCopy(readFileSync(path, "utf8"), path);
  const original = JSON.parse(readFileSync(`${path}.map`, "utf8"));
  const chained = remapping([JSON.stringify(map), original], () => null);
  // tsc wrote the paths relative to build/src; dist is one folder less deep.
  const depth = posix.dirname(file.replaceAll("\\", "/"));
  chained.sources = [posix.join(posix.relative(depth, "."), "../src", file.replace(/\.js$/, ".ts"))];
  return [emit(file, withPrimitive(code, file)), emit(`${file}.map`, JSON.stringify(chained))];
}

/** A file that cannot be inlined fails the build, but is there, so that the others can be tried. */
function inlineOrCopy(code: string, path: string): Inlined {
  try {
    return inline(code, path, constants);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
    return { code, map: new MagicString(code).generateMap({ hires: "boundary" }) };
  }
}

/** tsc leaves "./x.ts" in declarations, which only resolves for people who set allowImportingTsExtensions. */
function declarations(text: string): string {
  return text.replaceAll(/((?:from|import)\s*\(?\s*"\.{1,2}\/[^"]*)\.ts"/g, '$1.js"');
}

/** No line moves, and the maps have nothing behind an import on its line. */
function withPrimitive(text: string, file: string): string {
  const path = posix.relative(posix.dirname(file.replaceAll("\\", "/")), PRIMITIVE);
  const specifier = path.startsWith(".") ? path : `./${path}`;
  return text.replaceAll(/((?:from|import)\s*\(?\s*)"#primitive"/g, `$1"${specifier}"`);
}

function emit(file: string, text: string): string {
  const path = join(TO, file);
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
  return path;
}

function removeOthers(keep: Set<string>): void {
  if (!existsSync(TO)) return;
  for (const entry of readdirSync(TO, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && !keep.has(path)) rmSync(path);
  }
}

main();
