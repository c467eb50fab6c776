// What a bundle consists of: how much each folder of src (and each file beside them) adds to it.

import { transform } from "esbuild";
import { bundle, gzippedBytes } from "./bundle.ts";

export interface Part {
  /** "memalloc", or "heap.ts". */
  name: string;
  minified: number;
  /** By so many bytes the whole would be smaller, gzipped, if it were not there. */
  gzipped: number;
}

/** The largest first. */
export async function partsOf(program: string): Promise<Part[]> {
  const texts = await textsByPart(program);
  const names = [...texts.keys()];
  const gzippedOf = (some: string[]): number => gzippedBytes(some.map((name) => texts.get(name)).join(""));
  const whole = gzippedOf(names);
  return names
    .map((name) => {
      const gzipped = whole - gzippedOf(names.filter((other) => other !== name));
      return { name, minified: Buffer.byteLength(texts.get(name) ?? ""), gzipped };
    })
    .toSorted((a, b) => b.minified - a.minified);
}

/**
 * The minified code of each part. esbuild says where a module begins, in a comment, only if it leaves white space in; so
 * that is taken out afterwards.
 */
async function textsByPart(program: string): Promise<Map<string, string>> {
  const commented = await bundle(program, { minifyIdentifiers: true, minifySyntax: true });
  // the list of exports at the end belongs to no module
  const [, ...pieces] = commented.replace(/^export \{[\s\S]*/m, "").split(/^\/\/ (\S+\.js)$/m);
  const texts = new Map<string, string>();
  for (let i = 0; i + 1 < pieces.length; i += 2) {
    const name = partOf(pieces[i] ?? "");
    const { code } = await transform(pieces[i + 1] ?? "", { minifyWhitespace: true });
    texts.set(name, (texts.get(name) ?? "") + code);
  }
  return texts;
}

/** dist/mm/slab.js -> mm; dist/heap.js -> heap.ts. */
function partOf(path: string): string {
  const [, folder = path] = path.split("/");
  return folder.replace(/\.js$/, ".ts");
}
