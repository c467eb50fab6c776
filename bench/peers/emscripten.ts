/** The allocators that come with emscripten, called from JavaScript, if the machine has emcc. */
import { execFileSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { env } from "node:process";
import { type Peer, POOL_BYTES, type Pool, poolPeer } from "./peer.ts";
import { moduleOf, poolOf } from "./wasm.ts";

const EMCC = process.platform === "win32" ? "emcc.bat" : "emcc";
export const ALLOCATORS = ["dlmalloc", "emmalloc"];

/** What a standalone module may import is for when things go wrong: any name of any module is a function that does nothing. */
const FUNCTIONS: Record<string, () => number> = new Proxy({}, { get: () => () => 0 });
const IMPORTS: Record<string, typeof FUNCTIONS> = new Proxy({}, { get: () => FUNCTIONS });

/** Where emcc is, or undefined. */
export function findEmcc(path = env.PATH ?? ""): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, EMCC))
    .find((file) => existsSync(file));
}

/** What emcc is asked for: a module without any JavaScript that has malloc, free and a memory that does not grow. */
export function emccArguments(allocator: string, source: string, path: string): string[] {
  const settings = [
    "STANDALONE_WASM",
    "EXPORTED_FUNCTIONS=_malloc,_free",
    `INITIAL_MEMORY=${POOL_BYTES * 2}`,
  ];
  return [
    "-O3",
    "--no-entry",
    `-sMALLOC=${allocator}`,
    ...settings.map((each) => `-s${each}`),
    source,
    "-o",
    path,
  ];
}

function build(allocator: string, path: string): void {
  const source = `${path}.c`;
  // malloc and free are the library's
  writeFileSync(source, "");
  execFileSync(findEmcc() ?? EMCC, emccArguments(allocator, source, path), {
    stdio: ["ignore", "ignore", "inherit"],
  });
  rmSync(source);
}

function openEmscripten(allocator: string): Pool {
  const module = moduleOf(allocator, (path) => build(allocator, path));
  const { exports } = new WebAssembly.Instance(module, IMPORTS);
  const { malloc, free, _initialize: initialize } = exports;
  if (typeof initialize === "function") initialize();
  return poolOf(exports, malloc, free);
}

export function emscriptenPeers(): Peer[] {
  if (findEmcc() === undefined) return [];
  return ALLOCATORS.map((allocator) => poolPeer(allocator, () => openEmscripten(allocator)));
}
