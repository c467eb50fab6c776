/** How often an operation touches shared memory, by kind of access. Needs the condition "check". */
import { OP_NAMES, type Op, ZERO } from "../../../check/engine/operations.ts";
import { performNow, setPerformer, type Words } from "../../../check/engine/primitive.ts";

/** As "5 read, 6 write"; "zero" are words that were zeroed. "none" if there was none. */
export function accessesOf(words: Words, operation: () => void): string {
  const counts = OP_NAMES.map(() => 0);
  setPerformer({
    access(op: Op, at: number, a: number, b: number) {
      counts[op] += op === ZERO ? a : 1;
      return performNow(words, op, at, a, b);
    },
  });
  try {
    operation();
  } finally {
    setPerformer(undefined);
  }
  const found = OP_NAMES.map((name, op) => `${counts[op]} ${name}`).filter((_, op) => counts[op] > 0);
  return found.join(", ") || "none";
}
