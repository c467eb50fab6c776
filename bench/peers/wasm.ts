/** Allocators that are WebAssembly modules: where they are kept once they are built, and how they are opened. */
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Subject } from "../workloads/workload.ts";
import type { Pool } from "./peer.ts";

export const PAGE_BYTES = 65536;

/** Where a module of that name belongs: in a folder of the build that has no sources. */
export function pathOf(name: string): string {
  return fileURLToPath(new URL(`../../peers/${name}.wasm`, import.meta.url));
}

/** The module of that name. `build` makes it, in another process, if it is not there yet. */
export function moduleOf(name: string, build: (path: string) => void): WebAssembly.Module {
  const path = pathOf(name);
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    // two processes may be here at once
    const own = path.replace(/\.wasm$/, `.${process.pid}.wasm`);
    build(own);
    renameSync(own, path);
  }
  return new WebAssembly.Module(readFileSync(path));
}

/** The exports are called as they are: that is the least that a call from JavaScript can cost. */
export function poolOf({ memory }: Record<string, unknown>, alloc: unknown, free: unknown): Pool {
  const { buffer } = memory as WebAssembly.Memory;
  return { subject: { alloc, free } as Subject, words: new Int32Array(buffer) };
}
