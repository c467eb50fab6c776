/**
 * Chains: up to a batch of freed objects, linked by word 0, that travel between CPUs as one. On an
 * llist of chains a chain is named by word 1 of its first object, which links it to the next chain.
 */
import { readPrivate, type Words, writePrivate } from "#primitive";
import { OBJECT_CHECK, OBJECT_HOME } from "./layout.ts";

/** Puts `node` in front of the chain that begins with `first` (0: none). */
export function chainPush(words: Words, first: number, node: number): void {
  writePrivate(words, node + OBJECT_HOME, first);
  writePrivate(words, node + OBJECT_CHECK, 0);
}

/** The object after `node` in its chain, or 0. */
export function chainNext(words: Words, node: number): number {
  return readPrivate(words, node + OBJECT_HOME);
}

/** What names the chain on an llist. */
export function chainLink(first: number): number {
  return first + OBJECT_CHECK;
}

/** The first object of the chain that `link` names. */
export function chainFirst(link: number): number {
  return link - OBJECT_CHECK;
}
