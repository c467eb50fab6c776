/**
 * What can be left out of the fast paths, or done otherwise, as changes of the built text. A variant need not be right:
 * it runs pair64 on one thread, where nothing is nested, nobody dies, and no call is wrong.
 */

/** The lines are those of MemAlloc and MemCache, or, where the two differ, one for each. `to` takes their place everywhere. */
export interface Change {
  readonly from: readonly string[];
  readonly to: string;
}

export interface Variant {
  readonly name: string;
  readonly changes: readonly Change[];
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

export const VARIANTS: readonly Variant[] = [
  { name: "as it is", changes: [] },
  { name: "no check words, hands not named", changes: UNGUARDED },
  { name: "no hands: nothing may be nested", changes: HANDS },
  { name: "hand named once, list read twice", changes: REREAD },
  {
    name: "high watermark in a field",
    changes: [{ from: ["if (depth >= words[cache + 3])"], to: "if (depth >= 96)" }],
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
