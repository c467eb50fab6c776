import assert from "node:assert/strict";
import { test } from "node:test";
import { type BarStream, drawBar, ProgressBar } from "#src/cli/progress.js";

function streamOf(isTTY: boolean): { stream: BarStream; written: string[] } {
  const written: string[] = [];
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  return { stream: { isTTY, columns: 80, write } as BarStream, written };
}

test("the bar fits the terminal, whatever its width", () => {
  for (let columns = 0; columns < 130; columns++) {
    for (const done of [0, 1, 500_000, 1_000_000, 2_000_000]) {
      const text = drawBar(done, 1_000_000, columns);
      assert.ok(text.length < Math.max(columns, 1), `${columns}: ${text}`);
    }
  }
  assert.equal(drawBar(50, 100, 60), `[${"=".repeat(14)}${" ".repeat(15)}]  50 %  50 of 100 operations`);
});

test("drawn on a terminal and erased at the end", () => {
  const { stream, written } = streamOf(true);
  const bar = new ProgressBar(stream);
  bar.show(1, 2);
  bar.erase();
  bar.erase();
  assert.equal(written.length, 2);
  assert.match(written[0] as string, /^\r\[=+ +\] {2}50 %/);
  assert.equal(written[1], "\r\u001b[K");
});

test("not a byte where there is no terminal", () => {
  const { stream, written } = streamOf(false);
  const bar = new ProgressBar(stream);
  bar.show(1, 2);
  bar.erase();
  assert.deepEqual(written, []);
});
