/** A copy of dist with some lines of the fast paths changed, to see what they cost. */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as sharedheap from "sharedheap";
import type { Change } from "./changes.ts";

const DIST = fileURLToPath(new URL(".", import.meta.resolve("sharedheap")));
/** A process measures, and makes a copy of its own. */
const COPY = fileURLToPath(new URL(`../../variants/${process.pid}`, import.meta.url));

const FILES = ["memalloc/mem-alloc.js", "memalloc/mem-cache.js"];

/** Makes the copy, loads it, and takes it away again. */
export async function loadChanged(changes: readonly Change[]): Promise<typeof sharedheap> {
  cpSync(DIST, COPY, { recursive: true });
  try {
    for (const file of FILES) change(join(COPY, file), changes);
    return await import(pathToFileURL(join(COPY, "index.js")).href);
  } finally {
    rmSync(COPY, { recursive: true, force: true });
  }
}

/** Throws if a line is not there: then the build writes it otherwise now, and the list of changes is to be mended. */
function change(path: string, changes: readonly Change[]): void {
  let text = readFileSync(path, "utf8");
  for (const { from, to } of changes) {
    const line = from.find((each) => text.includes(each));
    if (line === undefined)
      throw new Error(`bench: ${path} has no «${from[0].trim()}»; mend bench/variants/changes.ts`);
    text = text.replaceAll(line, to);
  }
  writeFileSync(path, text);
}
