// What programs are measured, what they should come to, and what they may.

export interface Budget {
  what: string;
  program: string;
  /** Bytes, gzipped: what the design asks for. */
  goal: number;
  /** Bytes, gzipped: more is a failure. It is what there was when this was last looked at, and 2% for small changes. */
  limit: number;
}

const ONE_CACHE = `
import { SharedHeap } from "sharedheap";
const cache = SharedHeap.create().memCache({ size: 64 });
cache.free(cache.alloc());
`;

export const EVERYTHING = `export * from "sharedheap";`;

export const BUDGETS: Budget[] = [
  { what: "a program with one MemCache", program: ONE_CACHE, goal: 5000, limit: 52_400 },
  { what: "everything", program: EVERYTHING, goal: 12_000, limit: 52_600 },
];

/** Less than this share of the limit is so much less that the limit says nothing any more. */
const SLACK = 0.95;
/** A limit over what there is. */
const MARGIN = 1.02;

/** What is wrong with a program of so many bytes, gzipped. */
export function problemOf({ what, limit }: Budget, gzipped: number): string | undefined {
  const place = "in tools/size/budget.ts";
  if (gzipped > limit)
    return `${what} is larger than its limit: make it smaller, or say why not and raise the limit ${place}`;
  if (gzipped < limit * SLACK)
    return `${what} is far smaller than its limit: lower that to ${Math.ceil(gzipped * MARGIN)} ${place}`;
  return undefined;
}
