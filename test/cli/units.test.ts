import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatBytes,
  formatCount,
  formatRatio,
  formatSeconds,
  formatShare,
  parseBytes,
} from "#src/cli/units.js";

test("parseBytes reads sizes as people write them", () => {
  const cases: [string, number | undefined][] = [
    ["0", 0],
    ["4096", 4096],
    ["4096B", 4096],
    ["64k", 65536],
    ["64KB", 65536],
    ["64 KiB", 65536],
    ["1.5m", 1.5 * 2 ** 20],
    ["4GiB", 2 ** 32],
    ["1.0001k", undefined],
    ["", undefined],
    ["k", undefined],
    ["1 2", undefined],
    ["-1", undefined],
    ["1T", undefined],
  ];
  for (const [text, bytes] of cases) assert.equal(parseBytes(text), bytes, text);
});

test("formatBytes keeps one decimal", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [3.4 * 2 ** 20, "3.4 MiB"],
    [2 ** 20 - 1, "1.0 MiB"],
    [2 ** 32, "4.0 GiB"],
    [2 ** 45, "32768.0 GiB"],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

test("counts, seconds, ratios, shares", () => {
  assert.equal(formatCount(1234567.4), "1,234,567");
  assert.equal(formatSeconds(0.04123), "0.0412");
  assert.equal(formatSeconds(12.345), "12.3");
  assert.equal(formatSeconds(1234.5), "1,235");
  assert.equal(formatRatio(1.23456), "1.235");
  assert.equal(formatRatio(null), "-");
  assert.equal(formatShare(0.99999), "99.99 %");
  assert.equal(formatShare(1), "100.00 %");
});
