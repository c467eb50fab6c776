/** Kinds of elements: which allocator they come from, their size, and how they are freed. */

/** What an element's memory is: of which allocator, and which bucket of it. */
export interface Type {
  readonly name: string;
  readonly pool: "fixed" | "any";
  readonly bytes: number;
  /** Mixed into the type word. */
  readonly mark: number;
}

/** Two types share one slab cache, so that what the one gives back too early, the other gets. */
export const FIXED_BYTES = 56;
export const TYPES: readonly Type[] = [
  { name: "MemCache 56", pool: "fixed", bytes: FIXED_BYTES, mark: 0x1f3a5c77 },
  { name: "MemAlloc 56", pool: "any", bytes: 56, mark: 0x2b6d9e13 },
  { name: "MemAlloc 184", pool: "any", bytes: 184, mark: 0x3c71a4f9 },
];

/**
 * rcu: freed with freeRcu, or after an RCU grace period. Synchronous readers are promised the element itself.
 * plain: freed at once. Readers are promised the type.
 * trace: freed after a tasks-trace grace period. Async readers are promised the element itself.
 */
export type Reclaim = "rcu" | "plain" | "trace";

export interface Kind {
  readonly type: Type;
  readonly reclaim: Reclaim;
  /** Its slots are SLOTS from here on. */
  readonly firstSlot: number;
}

/** Slots of each kind. The even ones are everybody's, the odd ones have an owner who alone replaces. */
export const SLOTS = 64;

export const KINDS: readonly Kind[] = (["rcu", "plain", "trace"] as const).flatMap((reclaim, i) =>
  TYPES.map((type, j) => ({ type, reclaim, firstSlot: (i * TYPES.length + j) * SLOTS })),
);

export const ALL_SLOTS = KINDS.length * SLOTS;
