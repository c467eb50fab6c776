/** What the fuzzers' command lines have in common. */

export function integer(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`--${name} is ${text}: use an integer from ${min} to ${max}`);
}
