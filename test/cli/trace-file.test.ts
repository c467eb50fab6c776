import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { constants, gunzipSync, gzipSync } from "node:zlib";
import { CliError } from "#src/cli/exit.js";
import { readTrace } from "#src/cli/trace-file.js";
import { generateTrace } from "./generate-trace.ts";

const { text, operations } = generateTrace({
  seed: 1,
  threads: 3,
  operations: 20_000,
  slots: 500,
  maxSize: 5000,
  freedElsewhere: 0.3,
});

let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "sharedheap-trace-"));
});

after(() => rm(folder, { recursive: true }));

/** Complete lines in what there is of a gzip. */
function linesIn(zipped: Uint8Array): number {
  const cut =
    zipped.length < 10 ? "" : gunzipSync(zipped, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
  return cut.split("\n").length - 1;
}

async function fileOf(content: string | Uint8Array): Promise<string> {
  const path = join(folder, "x.trace.gz");
  await writeFile(path, content);
  return path;
}

async function messageFor(path: string): Promise<string> {
  let message = "";
  await assert.rejects(readTrace(path), (error) => {
    assert.ok(error instanceof CliError, String(error));
    assert.equal(error.exitCode, 2);
    message = error.message;
    return true;
  });
  return message;
}

test("gzipped, plain, and gzipped in two members", async () => {
  const half = text.length >>> 1;
  const members = Buffer.concat([gzipSync(text.slice(0, half)), gzipSync(text.slice(half))]);
  for (const content of [gzipSync(text), text, members]) {
    const trace = await readTrace(await fileOf(content));
    assert.equal(trace.operations.length, operations.length);
  }
});

test("a truncated gzip says after which line it ends", async () => {
  const whole = gzipSync(text);
  for (const length of [5, 30, whole.length >>> 1, whole.length - 9]) {
    const cut = whole.subarray(0, length);
    const path = await fileOf(cut);
    const match = /^(.*):(\d+): the file is truncated: its data ends after line (\d+)$/.exec(
      await messageFor(path),
    );
    assert.equal(match?.[1], path);
    assert.equal(Number(match?.[2]), Number(match?.[3]) + 1);
    assert.equal(Number(match?.[3]), linesIn(cut), match?.[0]);
  }
});

test("damaged gzip data, whether or not it shows in a line first", async () => {
  const zipped = gzipSync(text);
  zipped.fill(0x55, zipped.length >>> 1, (zipped.length >>> 1) + 40);
  assert.match(await messageFor(await fileOf(zipped)), /x\.trace\.gz:\d+: /);
  const wrongSum = gzipSync(text);
  wrongSum[wrongSum.length - 6] = (wrongSum[wrongSum.length - 6] as number) ^ 1;
  const match = /:(\d+): the gzip data is damaged \(.*\) soon after line (\d+)$/.exec(
    await messageFor(await fileOf(wrongSum)),
  );
  assert.equal(Number(match?.[1]), Number(match?.[2]) + 1);
  assert.ok(Number(match?.[2]) > 10_000);
  const header = Buffer.from([0x1f, 0x8b, 0xff, 0xff]);
  assert.match(
    await messageFor(await fileOf(header)),
    /:1: the gzip data is damaged \(.*\) soon after line 0$/,
  );
});

test("a bad line inside a gzip is located", async () => {
  const lines = text.split("\n");
  lines[9_999] = "f 17 bad";
  const message = await messageFor(await fileOf(gzipSync(lines.join("\n"))));
  assert.match(message, /x\.trace\.gz:10000: thread "bad" is not a whole number$/);
});

test("a plain file cut in the middle", async () => {
  const message = await messageFor(await fileOf(text.slice(0, text.lastIndexOf("\n", text.length / 2) + 1)));
  assert.match(message, /:\d+: the file is truncated: it ends after \d+ operations/);
});

test("an empty file, a foreign one, none, a folder", async () => {
  assert.match(await messageFor(await fileOf("")), /:1: the trace holds no operations$/);
  assert.match(
    await messageFor(await fileOf("hello\n")),
    /:1: not an allocation trace: unknown operation "hello"$/,
  );
  assert.equal(await messageFor(join(folder, "none")), `cannot read ${join(folder, "none")}: no such file`);
  assert.equal(await messageFor(folder), `cannot read ${folder}: it is a directory`);
});
