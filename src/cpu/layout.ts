/**
 * CPUs: their slots (shared), and the start of each one's area (private to its owner).
 *
 *     slot of a CPU (one line each, shared)      area of a CPU (percpuWords, aligned to their size)
 *     0  STATE                                   0   CONTEXT
 *     1  NAME (8 words)                          ..  words of the layers above, as they reserve them
 */

/** Words of a CPU's slot. */
export const SLOT_WORDS = 16;
/**
 * CPU_* | generation << STATE_BITS | reaper << REAPER_SHIFT. Changed by CAS: by attach (free to online), by the owner, by
 * who marks it dead, by who reaps it.
 */
export const SLOT_STATE = 0;
/** Name given at attach. Writer: owner, atomically; readers: anyone. */
export const SLOT_NAME = 1;
/** 1: a CPU in mode kthread asks for work to be done. Writer: owner (1), who takes the call (0); atomic. */
export const SLOT_CALL = 9;
/**
 * The thread that has it, by a number of the process that is never used again; 0: nobody, or not known. Set while STATE says free,
 * by who is about to change that, and cleared by who gives it back, last; CAS. All threads of a heap have numbers, or none has.
 */
export const SLOT_THREAD = 10;

/**
 * 1 + the generation whose thread holds a lock that its end lets go: see presence.ts. Less, or another one's: not known. Writer:
 * owner; atomic.
 */
export const SLOT_WATCHED = 11;

export const STATE_BITS = 3;
export const STATE_MASK = 7;
/** Which CPU reaps it, while it is CPU_REAPING. */
export const REAPER_SHIFT = 23;
/** Nobody has this CPU. */
export const CPU_FREE = 0;
/** A thread has it. */
export const CPU_ONLINE = 1;
/** Its thread is giving back what it holds. */
export const CPU_DYING = 2;
/** Its thread has gone without a word: somebody who knows said so. */
export const CPU_DEAD = 3;
/** Another CPU, the reaper, gives back what it left. */
export const CPU_REAPING = 4;
/** Generations wrap at 2^20: a stale one would have to survive a million attachments of one CPU. */
export const GENERATION_MASK = 0xfffff;

/** Depth of each context, a byte each: see contexts.ts. Private to the owner, at any depth of nesting. */
export const AREA_CONTEXT = 0;
/** Head of the llist of pending irq_work items. Pushed and taken by the owner, at any depth: atomic. */
export const AREA_IRQ_WORK = 1;
/** The same for work that waits for the end of a turn. */
export const AREA_TURN_WORK = 2;
/** Words of the area that the cpu layer uses. */
export const AREA_CPU_WORDS = 16;

/** irq_work item: link in the pending list. Owned by the list while PENDING is 1. */
export const WORK_LINK = 0;
/** 1 from raise until the work starts. Atomic: a nested call may raise at any moment. */
export const WORK_PENDING = 1;
export const WORK_WORDS = 2;
