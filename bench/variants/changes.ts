/**
 * What can be left out of the library, or done otherwise, as changes of the built text. A variant need not be right: in the
 * workloads nothing is nested, nobody dies, and no call is wrong.
 */

import { NEW_WASM_BUFFER } from "./wasm-atomics.ts";

/** One of the lines is in each of the files: MemAlloc and MemCache differ in some. `to` takes its place wherever it is. */
export interface Change {
  /** In dist; those of the fast paths if none are named. */
  readonly files?: readonly string[];
  readonly from: readonly string[];
  readonly to: string;
}

export const FAST_PATHS = ["memalloc/mem-alloc.js", "memalloc/mem-cache.js"];

export interface Variant {
  readonly name: string;
  readonly changes: readonly Change[];
  /** It breaks what several threads share. */
  readonly isForOneThread?: true;
}

const REFUSE = "{\n            this.refuseFree(p);\n            return;\n        }\n";
const BUSY = "{\n            this.caches.freeBusy(cache, node);\n            return;\n        }\n";

/** Takes lines out. */
const without = (...from: string[]): Change => ({ from, to: "" });

const NAMED = without("words[cache + 1] = node;\n");
const WRITTEN_CHECK = without("words[node + 1] = (p ^ cache ^ this.key) | (-2147483648);\n");
const CHECKED_TYPE = without(`if (typeof p !== "number") ${REFUSE}`);
const CHECKED_HEADER = without(
  `if (p >>> 0 !== p || words[node + 1] !== ((p ^ home ^ this.key) | (-2147483648))) ${REFUSE}`,
);

/** Neither check words nor named hands: what death and lies cost. */
export const UNGUARDED: readonly Change[] = [NAMED, WRITTEN_CHECK, CHECKED_TYPE, CHECKED_HEADER];

const HANDS: readonly Change[] = [
  NAMED,
  without(
    "if (words[cache + 1] !== 0)\n            return this.allocBusy(size);\n",
    "if (words[cache + 1] !== 0)\n            return this.allocBusy();\n",
  ),
  without(`if (words[cache + 1] !== 0) ${BUSY}`),
  without("words[cache + 1] = (-1);\n"),
  without("words[cache + 1] = node + 1;\n"),
  without("words[cache + 1] = 0;\n"),
];

/** The list is read, named, and read again, instead of being marked first. */
const REREAD: readonly Change[] = [
  without("words[cache + 1] = (-1);\n"),
  NAMED,
  {
    from: ["if (words[node + 1] <= words[cache + 2])", "if (words[node + 1] <= this.low)"],
    to: "words[cache + 1] = node;\n        if (words[cache + 0] !== node || words[node + 1] <= this.low)",
  },
];

/** The fast paths: what alloc and free do each time. Some of them leave slow paths with what these do not expect. */
const FAST: readonly Variant[] = [
  { name: "no check words, hands not named", changes: UNGUARDED },
  { name: "no hands: nothing may be nested", changes: HANDS },
  { name: "hand named once, list read twice", changes: REREAD },
  {
    name: "high watermark in a field",
    changes: [{ from: ["if (depth >= words[cache + 3])"], to: "if (depth >= 48)" }],
  },
  {
    name: "heaps to 2 GiB: offsets are signed",
    changes: [
      { from: ["const p = ((node + 2) << 2) >>> 0;"], to: "const p = (node + 2) << 2;" },
      { from: ["if (p >>> 0 !== p || "], to: "if ((p | 0) !== p || " },
    ],
  },
  {
    name: "no check of arguments",
    changes: [CHECKED_TYPE, { from: ["if (p >>> 0 !== p || "], to: "if (" }],
  },
  { name: "none of it", changes: [...UNGUARDED, ...HANDS.slice(1)] },
];

const stock = (from: string, to: string): Change => ({ files: ["memalloc/stock.js"], from: [from], to });
const pipeline = (from: string, to: string): Change => ({
  files: ["memalloc/pipeline.js"],
  from: [from],
  to,
});

/** What the accessors do by `Atomics`. */
const ATOMICS = {
  load: "return Atomics.load(words, at);",
  store: "Atomics.store(words, at, value);",
  cmpxchg: "return Atomics.compareExchange(words, at, expected, desired);",
  xchg: "return Atomics.exchange(words, at, value);",
  add: "return Atomics.add(words, at, delta);",
  or: "return Atomics.or(words, at, mask);",
} as const;

function insteadOfAtomics(lines: { readonly [accessor in keyof typeof ATOMICS]?: string }): Change[] {
  const accessors = Object.keys(lines) as (keyof typeof ATOMICS)[];
  return accessors.map((each) => ({
    files: ["sync/primitive.js"],
    from: [ATOMICS[each]],
    to: lines[each] ?? "",
  }));
}

/** Plain accesses instead of atomic ones. */
const PLAIN: readonly Change[] = insteadOfAtomics({
  load: "return words[at];",
  store: "words[at] = value;",
  cmpxchg: "const was = words[at]; if (was === expected) words[at] = desired; return was;",
  xchg: "const was = words[at]; words[at] = value; return was;",
  add: "const was = words[at]; words[at] = was + delta; return was;",
});

/** The same, atomic, by other means. */
const IN_WASM: readonly Change[] = [
  ...insteadOfAtomics({
    load: "return wasmAtomics.load(at << 2);",
    store: "wasmAtomics.store(at << 2, value);",
    cmpxchg: "return wasmAtomics.cmpxchg(at << 2, expected, desired);",
    xchg: "return wasmAtomics.xchg(at << 2, value);",
    add: "return wasmAtomics.add(at << 2, delta);",
    or: "return wasmAtomics.or(at << 2, mask);",
  }),
  { files: ["memory.js"], from: ["new SharedArrayBuffer(bytes)"], to: NEW_WASM_BUFFER },
];

/** The slow paths: refills, trims, and where chains go. */
const SLOW: readonly Variant[] = [
  { name: "no atomics: plain accesses in the slow paths too", changes: PLAIN, isForOneThread: true },
  { name: "atomics are calls into wasm", changes: IN_WASM, isForOneThread: true },
  {
    name: "refills, trims and objects from slab are not counted",
    changes: [
      stock("fetchAdd(this.words, at, delta);", ""),
      stock("this.words[at] = this.words[at] + 1;", ""),
    ],
  },
  {
    name: "watermarks twice as high",
    changes: watermarks(2),
  },
  {
    name: "watermarks eight times as high",
    changes: watermarks(8),
  },
  {
    name: "objects from slab are not zeroed",
    changes: [{ files: ["memalloc/supply.js"], from: ["this.zero(cache, node);"], to: "{}" }],
  },
  {
    name: "64 chains stay at home instead of 8",
    changes: [pipeline("this.startRound(home, this.keepChains);", "this.startRound(home, 64);")],
  },
  {
    name: "polls leave chains at home",
    changes: [pipeline("this.startRound(home, isInUse ? this.keepChains : 0);", "")],
  },
];

const kmalloc = (from: string): Change => ({ files: ["mm/kmalloc.js"], from: [from], to: "" });

/** The slab allocator underneath, by itself. */
const SLAB: readonly Variant[] = [
  { name: "no atomics: plain accesses", changes: PLAIN, isForOneThread: true },
  { name: "atomics are calls into wasm", changes: IN_WASM, isForOneThread: true },
  {
    name: "what is freed is looked up by atomic loads",
    changes: [
      {
        files: ["mm/slab-lookup.js"],
        from: ["const first = firstPage(page, pages.words[pages.descriptor(page) + 0]);"],
        to: "return slabPageAt(pages, word);",
      },
    ],
  },
  {
    name: "no check of sizes, flags and what is freed",
    changes: [
      kmalloc("checkSize(bytes);"),
      kmalloc('checkFlags(flags, 1, "GFP_ZERO");'),
      kmalloc(
        'if (!isOffset(pages, p))\n            throw badPointer(p, "is not an offset of this heap, aligned to 8");\n',
      ),
      kmalloc("|| !isObjectStart(pages, page, word)"),
    ],
  },
  {
    name: "slabs of 8 pages",
    changes: [
      {
        files: ["mm/cache-geometry.js"],
        from: ["let pages = Math.ceil(unit / 4096);"],
        to: "let pages = 8;",
      },
    ],
  },
];

const AS_IT_IS: Variant = { name: "as it is", changes: [] };

/** Those of a workload, for an allocator: pairs run no slow path, and kmalloc has other ones. */
export function variantsOf(workload: string, subject: string): readonly Variant[] {
  if (subject === "kmalloc") return [AS_IT_IS, ...SLAB];
  return [AS_IT_IS, ...(workload.startsWith("pair64") ? FAST : SLOW)];
}

/** Refills and trims become rarer, and more is kept. */
function watermarks(times: number): Change[] {
  const lines = [
    [
      "return { low: 32, high: 96, batch: 48, prefill: 4 };",
      `return { low: ${times * 32}, high: ${times * 96}, batch: ${times * 48}, prefill: 4 };`,
    ],
    ["Math.trunc(8192 / unitBytes)", `Math.trunc(${times * 8192} / unitBytes)`],
    ["Math.trunc(24576 / unitBytes)", `Math.trunc(${times * 24576} / unitBytes)`],
  ];
  return lines.map(([from, to]) => ({ files: ["memalloc/sizes.js"], from: [from], to }));
}
