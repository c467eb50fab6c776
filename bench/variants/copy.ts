/** Copies of the library with some lines changed, to see what they cost. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type * as sharedheap from "sharedheap";
import { type Change, FAST_PATHS } from "./changes.ts";

const PROJECT = new URL("../../../", import.meta.url);
const COPIES = new URL("build/variants/", PROJECT);

/** Loads a copy that is gone as soon as it is loaded. */
export async function loadChanged(changes: readonly Change[]): Promise<typeof sharedheap> {
  return whileCopied(["dist"], changes, (copy) => import(new URL("dist/index.js", copy).href));
}

/** Calls `fn` with the address of a copy of the built library and of these benchmarks, which use that library. */
export function whileProjectIsCopied<Result>(
  changes: readonly Change[],
  fn: (copy: URL) => Promise<Result>,
): Promise<Result> {
  // its package.json says that this is what "sharedheap" means there
  return whileCopied(["package.json", "dist", "build/bench"], changes, fn);
}

async function whileCopied<Result>(
  parts: readonly string[],
  changes: readonly Change[],
  fn: (copy: URL) => Promise<Result>,
): Promise<Result> {
  const copy = new URL(`${process.pid}/`, COPIES);
  removeLeft();
  try {
    for (const part of parts) cpSync(new URL(part, PROJECT), new URL(part, copy), { recursive: true });
    for (const each of changes)
      for (const file of each.files ?? FAST_PATHS) change(new URL(`dist/${file}`, copy), each);
    return await fn(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** What was interrupted has left its copies. */
function removeLeft(): void {
  for (const name of existsSync(COPIES) ? readdirSync(COPIES) : [])
    if (!isRunning(Number.parseInt(name, 10)))
      rmSync(new URL(name, COPIES), { recursive: true, force: true });
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The line of a file that a change takes the place of, or undefined. */
export function lineOf(text: string, { from }: Change): string | undefined {
  return from.find((each) => text.includes(each));
}

/** Throws if a line is not there: then the build writes it otherwise now, and the list of changes is to be mended. */
function change(file: URL, each: Change): void {
  const text = readFileSync(file, "utf8");
  const line = lineOf(text, each);
  if (line === undefined)
    throw new Error(
      `bench: ${fileURLToPath(file)} has no «${each.from[0].trim()}»; mend bench/variants/changes.ts`,
    );
  writeFileSync(file, text.replaceAll(line, each.to));
}
