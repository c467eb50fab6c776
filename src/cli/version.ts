import { createRequire } from "node:module";

/** The version of the installed package. */
export function packageVersion(): string {
  // By the package's own name: the compiled file's place under it may change.
  const manifest = createRequire(import.meta.url)("sharedheap/package.json") as { version: string };
  return manifest.version;
}
