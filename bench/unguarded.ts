/**
 * The library without its guards: alloc does not name the object it has in hand, and writes no check word; free looks at
 * none, and not at its argument. A copy of dist with these lines taken out, to see what they cost.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as sharedheap from "sharedheap";

const DIST = fileURLToPath(new URL(".", import.meta.resolve("sharedheap")));
/** A process measures, and makes a copy of its own. */
const COPY = fileURLToPath(new URL(`../unguarded/${process.pid}`, import.meta.url));

const FILES = ["memalloc/mem-alloc.js", "memalloc/mem-cache.js"];
const REFUSE = "{\n            this.refuseFree(p);\n            return;\n        }\n";
const GUARDS: readonly string[] = [
  "words[cache + 1] = node;\n",
  "words[node + 1] = (p ^ cache ^ this.key) | (-2147483648);\n",
  `if (typeof p !== "number") ${REFUSE}`,
  `if (p >>> 0 !== p || words[node + 1] !== ((p ^ home ^ this.key) | (-2147483648))) ${REFUSE}`,
];

/** Throws if a guard is not there: then the build writes it otherwise now, and the list above is to be mended. */
function withoutGuards(path: string): string {
  let text = readFileSync(path, "utf8");
  for (const guard of GUARDS) {
    if (!text.includes(guard))
      throw new Error(`bench: ${path} has no «${guard.trim()}»; mend the list of guards`);
    text = text.replaceAll(guard, "");
  }
  return text;
}

/** Makes the copy, loads it, and takes it away again. */
export async function loadUnguarded(): Promise<typeof sharedheap> {
  cpSync(DIST, COPY, { recursive: true });
  try {
    for (const file of FILES) writeFileSync(join(COPY, file), withoutGuards(join(COPY, file)));
    return await import(pathToFileURL(join(COPY, "index.js")).href);
  } finally {
    rmSync(COPY, { recursive: true, force: true });
  }
}
