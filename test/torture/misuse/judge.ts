/** Makes a wrong call, and says whether the answer is what the model expects. */
import type { Attempt } from "./attempt.ts";
import type { World } from "./world.ts";

/** One call in so many is compared byte by byte. */
const COMPARE_SHARE = 16;
/** What is left unsaid: see IGNORED. */
export const NOTHING = "ignored, as documented";

/** Returns what came of it: an error's code, or why it cannot be told. Throws if that must not be. */
export function judge(world: World, attempt: Attempt): string {
  if (attempt.isPlain === true) return answer(world, attempt);
  const heap = world.cpus[world.anyCpu()];
  const dice = world.random(10);
  if (dice === 0) return heap.context.nmi(() => answer(world, attempt));
  if (dice === 1) return heap.context.hardirq(() => answer(world, attempt));
  return answer(world, attempt);
}

function answer(world: World, attempt: Attempt): string {
  const { expected } = attempt;
  if (expected.frees !== undefined) return freeReally(world, attempt);
  return expected.untold === "" ? refuse(world, attempt) : rehearse(world, attempt);
}

/** It is the same as a right call: nothing is to be seen, and the thing is free. */
function freeReally(world: World, { call, expected, what }: Attempt): string {
  const { frees: thing, untold } = expected;
  if (thing === undefined) return "";
  world.checkMark(thing);
  const code = codeOf(world, call, what);
  if (code !== "") throw new Error(`${what}: refused with "${code}", but it was right by the model`);
  world.ledger.release(thing);
  return untold;
}

/** An error with the right code; nothing changed. */
function refuse(world: World, { call, expected, what, heap = world.heap, alsoRight }: Attempt): string {
  const isCompared = world.random(COMPARE_SHARE) === 0 && alsoRight !== true;
  const before = isCompared ? Buffer.from(heap.u8) : undefined;
  const code = codeOf(world, call, what);
  if (expected.codes.length === 0 && code !== "")
    throw new Error(`${what}: refused with "${code}", but is to be ignored`);
  if (expected.codes.length > 0 && !expected.codes.includes(code))
    throw new Error(
      `${what}: expected ${expected.codes.join(" or ")}, ${code === "" ? "nothing was said" : `got ${code}`}`,
    );
  if (before?.equals(heap.u8) === false) throw new Error(`${what}: ${code}, but something was changed`);
  return code === "" ? NOTHING : code;
}

/** It may pass, and ruin the heap: it is undone. */
function rehearse(world: World, { call, expected, what }: Attempt): string {
  const before = world.picture();
  world.isRehearsal = true;
  try {
    const code = codeOf(world, call, what);
    if (code === "") return expected.untold;
    if (expected.codes.includes(code)) return code;
    throw new Error(`${what}: got ${code}, expected ${expected.codes.join(" or ") || "that it passes"}`);
  } finally {
    world.isRehearsal = false;
    world.restore(before);
  }
}

/** The code of the SharedHeapError thrown, or "". Throws what else is thrown. */
function codeOf({ library }: World, call: () => unknown, what: string): string {
  try {
    call();
    return "";
  } catch (error) {
    if (error instanceof library.SharedHeapError && error.message.length > 0) return error.code;
    throw new Error(`${what}: threw ${error instanceof Error ? error.stack : String(error)}`);
  }
}
