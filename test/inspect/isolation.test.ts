import assert from "node:assert/strict";
import { test } from "node:test";
import { isolationReport } from "sharedheap";

const whole = { SharedArrayBuffer, Atomics };

test("here, shared memory is to be had", () => {
  assert.deepEqual(isolationReport(), { available: true, reasons: [] });
});

test("an isolated page has all it needs", () => {
  const page = { ...whole, crossOriginIsolated: true, isSecureContext: true };
  assert.deepEqual(isolationReport(page), { available: true, reasons: [] });
});

test("a page that is not isolated is told the headers, even where SharedArrayBuffer exists", () => {
  for (const globals of [
    { ...whole, crossOriginIsolated: false },
    { Atomics, crossOriginIsolated: false },
  ]) {
    const { available, reasons } = isolationReport(globals);
    assert.equal(available, false);
    assert.equal(reasons.length, 1);
    assert.match(
      reasons[0],
      /Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy: require-corp/,
    );
  }
});

test("a page that came over http is told that first", () => {
  const { available, reasons } = isolationReport({
    Atomics,
    crossOriginIsolated: false,
    isSecureContext: false,
  });
  assert.equal(available, false);
  assert.equal(reasons.length, 2);
  assert.match(reasons[0], /https/);
});

test("an engine without shared memory is told apart from a page that may not use it", () => {
  for (const globals of [{}, { Atomics }, { SharedArrayBuffer }, { Atomics, crossOriginIsolated: true }]) {
    const { available, reasons } = isolationReport(globals);
    assert.equal(available, false);
    assert.equal(reasons.length, 1);
    assert.match(reasons[0], /engine/);
  }
});

test("wherever it is not available there is a reason", () => {
  for (const crossOriginIsolated of [true, false, undefined]) {
    for (const isSecureContext of [true, false, undefined]) {
      for (const globals of [{}, { Atomics }, whole]) {
        const given = { crossOriginIsolated, isSecureContext };
        const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
        const { available, reasons } = isolationReport({ ...globals, ...defined });
        if (!available) assert.ok(reasons.length > 0, JSON.stringify({ ...given, ...globals }));
      }
    }
  }
});
