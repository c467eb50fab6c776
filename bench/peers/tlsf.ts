/**
 * The two-level segregated fit of AssemblyScript's runtime, called from JavaScript. It is for one thread; so its memory is not
 * shared, which is the faster kind.
 */
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { POOL_BYTES, type Pool, poolPeer } from "./peer.ts";
import { moduleOf, PAGE_BYTES, poolOf } from "./wasm.ts";

/** The version is package.json's; change it here with that. */
export const MODULE = "assemblyscript-tlsf-0.28.20";

const PAGES = POOL_BYTES / PAGE_BYTES;
/** heap.alloc and heap.free are the TLSF itself in the runtimes that free at all; "minimal" is the smaller of the two. */
const SOURCE = `
export function alloc(size: usize): usize { return heap.alloc(size); }
export function free(p: usize): void { heap.free(p); }
`;
const FLAGS = [
  ...["--runtime", "minimal", "-O3", "--noAssert"],
  ...["--initialMemory", String(PAGES)],
  // out of memory is then a trap
  ...["--use", "abort="],
  // the names of functions, by which a test knows that this is the TLSF; they cost nothing
  "--debug",
];

/** The compiler's program. A process of its own runs it: one that measures is to have seen nothing else. */
function compiler(): string {
  return fileURLToPath(new URL("../bin/asc.js", import.meta.resolve("assemblyscript/asc")));
}

function build(path: string): void {
  const source = `${path}.ts`;
  writeFileSync(source, SOURCE);
  // asc takes an absolute path for a library's
  const args = [compiler(), basename(source), "-o", basename(path), ...FLAGS];
  execFileSync(process.execPath, args, { cwd: dirname(path) });
  rmSync(source);
}

export function tlsfModule(): WebAssembly.Module {
  return moduleOf(MODULE, build);
}

export function openTlsf(): Pool {
  const { exports } = new WebAssembly.Instance(tlsfModule(), {});
  return poolOf(exports, exports.alloc, exports.free);
}

export const tlsf = poolPeer("AssemblyScript TLSF", openTlsf);
