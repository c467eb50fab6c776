/** What is no number that means anything, and what is no number at all. */
import type { Random } from "./pools.ts";

const NUMBERS: readonly number[] = [
  Number.NaN,
  Infinity,
  -Infinity,
  -1,
  -8,
  -4096,
  0.5,
  8.5,
  4096.5,
  2 ** 31 + 0.5,
  2 ** 32,
  2 ** 32 + 4096,
  2 ** 53,
  1e300,
  -(2 ** 31),
  -(2 ** 53),
  Number.MIN_VALUE,
];

function fail(): never {
  throw new Error("a value of the program's was called");
}

const OTHERS: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  "",
  "8",
  "4096",
  "x",
  8n,
  -(2n ** 70n),
  Symbol("lie"),
  {},
  [],
  [4096],
  Object.create(null),
  () => 4096,
  new Date(0),
  new Uint8Array(8),
  { valueOf: fail, toString: fail },
  { [Symbol.toPrimitive]: fail },
];

/** Anything that is no integer from 0 to 2^32 - 1. */
export function lie(random: Random): unknown {
  return random(2) === 0 ? notANumber(random) : NUMBERS[random(NUMBERS.length)];
}

/** Anything that is no integer of 0 or more, Infinity excepted. */
export function noSize(random: Random): unknown {
  const value = lie(random);
  return value === Infinity || (Number.isSafeInteger(value) && (value as number) > 0) ? -1 : value;
}

/** Something for an option that may be left out: neither undefined nor null. */
export function noOption(random: Random): unknown {
  return noSize(random) ?? Number.NaN;
}

/** Anything that is no function. */
export function noFunction(random: Random): unknown {
  const value = lie(random);
  return typeof value === "function" ? "a function" : value;
}

/** Anything that is no object. */
export function noObject(random: Random): unknown {
  const value = lie(random) ?? null;
  return typeof value === "object" ? null : value;
}

export function noName(random: Random): unknown {
  const strings = ["", "x".repeat(29), "n\u00e4me", "a\nb", "\u0000"];
  const value = notANumber(random) ?? null;
  return typeof value === "string" || random(3) === 0 ? strings[random(strings.length)] : value;
}

export function notANumber(random: Random): unknown {
  return OTHERS[random(OTHERS.length)];
}

/** What it is, for a report. */
export function describe(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "object" && value !== null) return `an object (number ${OTHERS.indexOf(value)})`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
