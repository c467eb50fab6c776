/** The record in front of an object: its size, whose it is, who allocated and freed it. `p` is the object's offset. */
import { cmpxchg, loadAcquire, peek, storeRelease, type Words } from "#primitive";
import {
  RECORD_ALLOC_CLAIM,
  RECORD_ALLOC_SITE,
  RECORD_CHECK,
  RECORD_FREE_CLAIM,
  RECORD_FREE_SITE,
  RECORD_KEY,
  RECORD_SIZE,
  RECORD_STATE,
  RECORD_WORDS,
  STATE_BEGUN,
  STATE_GONE,
  STATE_LIVE,
  STATE_QUARANTINED,
  STATE_WAITING,
} from "./layout.ts";

/** Who made a call: its site, and the claim of the CPU (see Cpus.claimOf). */
export interface Caller {
  readonly site: number;
  readonly claim: number;
}

const STATES: readonly number[] = [STATE_LIVE, STATE_WAITING, STATE_QUARANTINED, STATE_GONE];

/** Makes the object live. The memory around it is this CPU's. */
export function writeRecord(words: Words, p: number, size: number, key: number, by: Caller): void {
  const at = addressOf(p);
  // first: whoever looks after this thread died sees that the rest need not fit together
  storeRelease(words, at + RECORD_STATE, STATE_BEGUN);
  storeRelease(words, at + RECORD_SIZE, size | 0);
  storeRelease(words, at + RECORD_KEY, key);
  storeRelease(words, at + RECORD_ALLOC_SITE, by.site);
  storeRelease(words, at + RECORD_ALLOC_CLAIM, by.claim);
  storeRelease(words, at + RECORD_CHECK, checkOf(words, p));
  storeRelease(words, at + RECORD_FREE_SITE, 0);
  storeRelease(words, at + RECORD_FREE_CLAIM, 0);
  // pairs with the loads of STATE: publishes the record
  storeRelease(words, at + RECORD_STATE, STATE_LIVE);
}

/** True if there is a whole record of an object at `p`, live or freed. Reads any memory. */
export function isRecord(words: Words, p: number): boolean {
  const at = addressOf(p);
  return STATES.includes(stateOf(words, p)) && peek(words, at + RECORD_CHECK) === checkOf(words, p);
}

/** True if there never was a whole record of an object at `p`: nothing was written there, or who began to has died. */
export function isUnmade(words: Words, p: number): boolean {
  return stateOf(words, p) === STATE_BEGUN || isBlank(words, p);
}

function isBlank(words: Words, p: number): boolean {
  const at = addressOf(p);
  for (let field = RECORD_STATE; field <= RECORD_FREE_CLAIM; field++)
    if (peek(words, at + field) !== 0) return false;
  return true;
}

export function stateOf(words: Words, p: number): number {
  return peek(words, addressOf(p) + RECORD_STATE);
}

/** Moves on from `from`. False: it was in another state, and is left there. */
export function moveState(words: Words, p: number, from: number, to: number): boolean {
  // pairs with itself, on other CPUs: one of those who free an object goes on
  return cmpxchg(words, addressOf(p) + RECORD_STATE, from, to) === from;
}

export function setState(words: Words, p: number, state: number): void {
  storeRelease(words, addressOf(p) + RECORD_STATE, state);
}

/** Says who freed the object: by who moved it on from STATE_LIVE. */
export function setFreed(words: Words, p: number, by: Caller): void {
  storeRelease(words, addressOf(p) + RECORD_FREE_CLAIM, by.claim);
  storeRelease(words, addressOf(p) + RECORD_FREE_SITE, by.site);
}

/** Bytes that the program asked for. */
export function sizeOf(words: Words, p: number): number {
  return loadAcquire(words, addressOf(p) + RECORD_SIZE) >>> 0;
}

export function keyOf(words: Words, p: number): number {
  return loadAcquire(words, addressOf(p) + RECORD_KEY);
}

export function allocatedBy(words: Words, p: number): Caller {
  const at = addressOf(p);
  return {
    site: loadAcquire(words, at + RECORD_ALLOC_SITE),
    claim: loadAcquire(words, at + RECORD_ALLOC_CLAIM),
  };
}

/** Who freed it; undefined: nobody has. */
export function freedBy(words: Words, p: number): Caller | undefined {
  if (stateOf(words, p) === STATE_LIVE) return undefined;
  const at = addressOf(p);
  return {
    site: loadAcquire(words, at + RECORD_FREE_SITE),
    claim: loadAcquire(words, at + RECORD_FREE_CLAIM),
  };
}

function addressOf(p: number): number {
  return (p >>> 2) - RECORD_WORDS;
}

function checkOf(words: Words, p: number): number {
  let mixed = p | 0;
  for (let field = RECORD_SIZE; field < RECORD_CHECK; field++)
    mixed = (Math.imul(mixed ^ peek(words, addressOf(p) + field), 0x9e3779b1) + field) | 0;
  return mixed;
}
