// A program and what it uses of the package, as a bundler makes one file of it.

import { gzipSync } from "node:zlib";
import { type BuildOptions, build } from "esbuild";

export interface Size {
  minified: number;
  gzipped: number;
}

export function sizeOf(code: string): Size {
  return { minified: Buffer.byteLength(code), gzipped: gzippedBytes(code) };
}

export function gzippedBytes(code: string): number {
  return gzipSync(code, { level: 9 }).length;
}

/** The text of the bundle. `options`: how it is made smaller, if at all. */
export async function bundle(program: string, options: BuildOptions): Promise<string> {
  // the program lies in the project, so that "sharedheap" is the build in dist
  const stdin = { contents: program, resolveDir: process.cwd(), sourcefile: "program.js" };
  const fixed = { stdin, bundle: true, write: false, logLevel: "error" } as const;
  const made = await build({ ...fixed, format: "esm", platform: "neutral", target: "es2022", ...options });
  return made.outputFiles?.[0]?.text ?? "";
}
