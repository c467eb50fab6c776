/** Numbers as people write and read them. */

const UNITS = ["B", "KiB", "MiB", "GiB"] as const;

/** Bytes in a mebibyte. */
export const MIB = 2 ** 20;

/** The largest heap a 32-bit offset can address. */
export const GIB_4 = 2 ** 32;

/**
 * Bytes in "64M", "1.5GiB", "4096". Letters mean powers of 1024, in either case.
 * `undefined` when the text is no size or not a whole number of bytes.
 */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?(?:([kmg])(?:i?b)?|b)?$/i.exec(text);
  if (match === null) return undefined;
  const power = match[2] === undefined ? 0 : "bkmg".indexOf(match[2].toLowerCase());
  const bytes = Number(match[1]) * 1024 ** power;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** 512 B, 3.4 MiB: one decimal from a KiB on. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.95 KiB would round to "1024.0 KiB".
  while (value >= (unit === 0 ? 1024 : 1023.95) && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** 12,345 */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** Seconds with three significant places below a minute: 0.0412, 3.27, 104. */
export function formatSeconds(seconds: number): string {
  if (seconds >= 100) return formatCount(seconds);
  return seconds.toPrecision(3);
}

/** 1.234, or a dash where there is nothing to divide by. */
export function formatRatio(ratio: number | null): string {
  return ratio === null ? "-" : ratio.toFixed(3);
}

/** 99.87 %: rounded down, so that only what is complete says 100. */
export function formatShare(share: number): string {
  return `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
}
