/**
 * The state word of a slab: 32 bits that one CAS changes.
 *
 *     bits 28..15   14..1     0
 *     first         in use    frozen
 *
 * `first` is 1 + the index of the first object on the slab's shared free list (0: none); the list
 * goes on by the links in the objects. `in use` counts the objects that are not on that list: those
 * out, and those on the private list of the CPU whose current slab this is.
 *
 * `frozen`: somebody has the slab: it is a CPU's current one, or on one of its cache's lists, or in
 * the hands of whoever moves it between these. Only they may thaw, list or discard it. A slab that is
 * not frozen is full and on no list, and the free that makes it partial freezes and lists it.
 *
 *     frozen == 0  =>  in use == objects and first == 0
 *
 * No tag is needed: the shared list is pushed to and taken whole, never popped.
 */
import { STATE_FIELD_MASK, STATE_FIRST_SHIFT, STATE_FROZEN, STATE_IN_USE_SHIFT } from "./layout.ts";

export function stateOf(first: number, inUse: number, frozen: number): number {
  return (first << STATE_FIRST_SHIFT) | (inUse << STATE_IN_USE_SHIFT) | frozen;
}

/** 1 + index of the first object on the shared free list, or 0. */
export function firstOf(state: number): number {
  return (state >>> STATE_FIRST_SHIFT) & STATE_FIELD_MASK;
}

export function inUseOf(state: number): number {
  return (state >>> STATE_IN_USE_SHIFT) & STATE_FIELD_MASK;
}

export function isFrozen(state: number): boolean {
  return (state & STATE_FROZEN) !== 0;
}
