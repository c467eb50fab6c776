/**
 * llist: lists that any CPU may push to at any time. (The kernel's `llist_head`.)
 *
 * A list is one word, the *head*; 0 is the empty list. A node is named by the address of its link
 * word, which holds the next node's. What a node is (an object, a chain of objects, a slab, a work
 * item) is its user's business. The list owns the link word from the push until the node is taken.
 *
 *                    add      delAll   delFirst
 *     add            yes      yes      yes
 *     delAll         yes      yes      one taker
 *     delFirst       yes      one taker
 *
 * "One taker": the two must not run at once with each other, so their callers hold the list's
 * taker word (`taker.ts`). With two takers a node could be taken, pushed back and taken for its
 * old self (ABA). This is rule R1: shared lists know push and take-all, and where they have a
 * taker word, pop by its holder.
 *
 * Progress: `add` and `delFirst` are lock-free: each failed round means that another CPU's step
 * on this list succeeded. `delAll` and `empty` are wait-free.
 */
import { cmpxchg, loadAcquire, readPrivate, type Words, writePrivate, xchg } from "#primitive";

/** Pushes the node whose link word is at `node`. Returns true if the list was empty. Any context. */
export function llistAdd(words: Words, head: number, node: number): boolean {
  for (;;) {
    const first = loadAcquire(words, head);
    writePrivate(words, node, first);
    // pairs with llistDelAll and llistDelFirst: publishes the node's link and all of its contents
    if (cmpxchg(words, head, first, node) === first) return first === 0;
  }
}

/** Takes the whole list. Returns its first node, or 0. Any context. */
export function llistDelAll(words: Words, head: number): number {
  // pairs with llistAdd: the taker owns every node on the list
  return xchg(words, head, 0);
}

/** Takes the first node, or returns 0. The caller holds the list's taker word. */
export function llistDelFirst(words: Words, head: number): number {
  for (;;) {
    // pairs with llistAdd: makes the link readable; nobody else takes, so the node stays first
    // or gets newer ones in front of it
    const first = loadAcquire(words, head);
    if (first === 0) return 0;
    const next = readPrivate(words, first);
    if (cmpxchg(words, head, first, next) === first) return first;
  }
}

/** True if the list was empty at the moment of looking. Any context. */
export function llistEmpty(words: Words, head: number): boolean {
  return loadAcquire(words, head) === 0;
}

/** The node after `node`, of a list that the caller took. */
export function llistNext(words: Words, node: number): number {
  return readPrivate(words, node);
}
