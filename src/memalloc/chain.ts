/**
 * Chains: up to a batch of freed objects, linked by word 0, that travel between CPUs as one. On an
 * llist of chains a chain is named by word 1 of its first object, which links it to the next chain.
 * A chain that is to travel is sealed: it says where its home is (see layout.ts). All else of it is a list still, so it
 * is one again, whatever its length, as soon as the two words of its first objects say how deep they are.
 */
import { readPrivate, type Words, writePrivate } from "#primitive";
import { OBJECT_CHECK, OBJECT_HOME } from "./layout.ts";

/** Puts `node` in front of the chain that begins with `first` (0: none). */
export function chainPush(words: Words, first: number, node: number): void {
  writePrivate(words, node + OBJECT_HOME, first);
  // no chain is NULL, whose depth word is 0
  writePrivate(words, node + OBJECT_CHECK, readPrivate(words, first + OBJECT_CHECK) + 1);
}

/** The object after `node` in its chain, or 0. */
export function chainNext(words: Words, node: number): number {
  const next = readPrivate(words, node + OBJECT_HOME);
  return next < 0 ? 0 : next;
}

/** Writes down that the chain belongs to the cache `home`. */
export function chainSeal(words: Words, first: number, home: number): void {
  const second = readPrivate(words, first + OBJECT_HOME);
  if (second === 0) writePrivate(words, first + OBJECT_HOME, ~home);
  else writePrivate(words, second + OBJECT_CHECK, home);
}

/** Makes a list of a chain, which may have been sealed: all its depths are right. */
export function chainUnseal(words: Words, first: number): void {
  const link = readPrivate(words, first + OBJECT_HOME);
  const second = link < 0 ? 0 : link;
  let depth = 0;
  if (second !== 0) {
    depth = readPrivate(words, readPrivate(words, second + OBJECT_HOME) + OBJECT_CHECK) + 1;
    writePrivate(words, second + OBJECT_CHECK, depth);
  }
  writePrivate(words, first + OBJECT_HOME, second);
  writePrivate(words, first + OBJECT_CHECK, depth + 1);
}

/** The cache that a sealed chain belongs to. */
export function chainHome(words: Words, first: number): number {
  const second = readPrivate(words, first + OBJECT_HOME);
  return second < 0 ? ~second : readPrivate(words, second + OBJECT_CHECK);
}

/** What names the chain on an llist. */
export function chainLink(first: number): number {
  return first + OBJECT_CHECK;
}

/** The first object of the chain that `link` names. */
export function chainFirst(link: number): number {
  return link - OBJECT_CHECK;
}
