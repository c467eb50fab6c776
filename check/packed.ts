/**
 * The release gate: the same scenarios on the packed library, as people install it, where the accessors
 * have been inlined. `Atomics` is patched and the heap's words are behind a Proxy, so that every access still
 * comes by the machine. Slower, and otherwise the same.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ADD, CAS, LOAD, type Op, OR, READ, STORE, WRITE, XCHG, ZERO } from "./engine/operations.ts";
import { perform, RawInt32Array } from "./engine/primitive.ts";

/** Packs the project at `root` and unpacks it; returns the folder of its modules, which is gone when the program ends. */
export function unpackLibrary(root: string): string {
  const folder = mkdtempSync(join(tmpdir(), "sharedheap-packed-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
    stdio: "ignore",
  });
  const [tarball] = readdirSync(folder);
  execFileSync("tar", ["-xzf", join(folder, tarball), "-C", folder]);
  return join(folder, "package", "dist");
}

const proxies = new WeakSet<object>();

/** From now on views of shared memory are made observable. */
export function observeViews(): void {
  const atomics = globalThis.Atomics;
  const ops: [keyof typeof atomics, Op][] = [
    ["load", LOAD],
    ["store", STORE],
    ["compareExchange", CAS],
    ["exchange", XCHG],
    ["add", ADD],
    ["or", OR],
  ];
  for (const [name, op] of ops) {
    const original = atomics[name] as (...args: unknown[]) => number;
    const patched = (words: Int32Array, at: number, a = 0, b = 0): number =>
      proxies.has(words) ? perform(words, op, at, a, b) : original(words, at, a, b);
    Object.defineProperty(atomics, name, { value: patched });
  }
  const ObservedInt32Array = new Proxy(RawInt32Array, {
    construct(target, args) {
      const view = Reflect.construct(target, args) as Int32Array;
      return args[0] instanceof SharedArrayBuffer ? observed(view) : view;
    },
  });
  globalThis.Int32Array = ObservedInt32Array;
}

function observed(view: Int32Array): Int32Array {
  const proxy: Int32Array = new Proxy(view, {
    get(target, key) {
      const at = indexOf(key);
      if (at !== undefined) return perform(proxy, READ, at, 0, 0);
      if (key === "fill")
        return (_value: number, from: number, to: number) => perform(proxy, ZERO, from, to - from, 0);
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    set(_target, key, value) {
      const at = indexOf(key);
      if (at === undefined) return false;
      perform(proxy, WRITE, at, value, 0);
      return true;
    },
  });
  proxies.add(proxy);
  return proxy;
}

function indexOf(key: string | symbol): number | undefined {
  if (typeof key === "symbol") return undefined;
  const at = Number(key);
  return Number.isInteger(at) ? at : undefined;
}
