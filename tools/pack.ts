// Checks what would be published: packs it, looks at the files and the metadata, then uses it as a user would.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkContents } from "./pack/contents.ts";
import { checkMetadata } from "./pack/metadata.ts";
import { pack } from "./pack/pack.ts";
import { checkUse } from "./pack/use.ts";

async function main(folder: string): Promise<number> {
  const packed = pack(folder);
  const steps: [string, () => string[] | Promise<string[]>][] = [
    ["contents", () => checkContents(packed.files)],
    ["metadata", () => checkMetadata(packed.tarball)],
    ["use", () => checkUse(packed.tarball, join(folder, "user"))],
  ];
  let good = true;
  for (const [name, step] of steps) {
    const problems = await step();
    for (const problem of problems) console.log(`pack: ${name}: ${problem}`);
    good = good && problems.length === 0;
  }
  const size = `${packed.files.length} files, ${(packed.bytes / 1024).toFixed(0)} KiB packed`;
  console.log(`pack: ${good ? "good" : "there are problems"}; ${size}`);
  return good ? 0 : 1;
}

const folder = mkdtempSync(join(tmpdir(), "sharedheap-"));
try {
  process.exitCode = await main(folder);
} finally {
  rmSync(folder, { recursive: true });
}
