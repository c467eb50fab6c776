/** Reads a trace from a file, gzipped or plain, also from a pipe. */
import { type FileHandle, open } from "node:fs/promises";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { inputError, messageOf } from "./exit.ts";
import type { Trace } from "./trace.ts";
import { TraceError } from "./trace-error.ts";
import { TraceParser } from "./trace-parser.ts";

const READ_BYTES = 1 << 18;
/** What is inflated at one go. When data is damaged the last such piece is lost: smaller finds the place better. */
const INFLATE_BYTES = 1 << 16;

/** The trace in a file; errors say file and line. */
export async function readTrace(path: string): Promise<Trace> {
  const parser = new TraceParser();
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    await feed(file, parser);
    return parser.finish();
  } catch (thrown) {
    throw explain(path, parser.lines, thrown);
  } finally {
    await file?.close();
  }
}

async function feed(file: FileHandle, parser: TraceParser): Promise<void> {
  const sink = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      try {
        parser.push(chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
  const magic = await readMagic(file);
  const source = chunksOf(file, magic);
  if (magic[0] === 0x1f && magic[1] === 0x8b)
    await pipeline(source, createGunzip({ chunkSize: INFLATE_BYTES }), sink);
  else await pipeline(source, sink);
}

/** The first two bytes, fewer if there are no more. A pipe may give them one by one. */
async function readMagic(file: FileHandle): Promise<Uint8Array> {
  const magic = new Uint8Array(2);
  let length = 0;
  while (length < 2) {
    const { bytesRead } = await file.read(magic, length, 2 - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return magic.subarray(0, length);
}

async function* chunksOf(file: FileHandle, magic: Uint8Array): AsyncGenerator<Uint8Array> {
  yield magic;
  while (true) {
    const { bytesRead, buffer } = await file.read(new Uint8Array(READ_BYTES), 0, READ_BYTES, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

function explain(path: string, lines: number, thrown: unknown): unknown {
  if (thrown instanceof TraceError) return inputError(`${path}:${thrown.line}: ${thrown.message}`);
  const code = (thrown as NodeJS.ErrnoException).code ?? "";
  // No trouble with the file, but with this program.
  if (code === "") return thrown;
  const message = messageOf(thrown);
  if (!code.startsWith("Z_")) return inputError(`cannot read ${path}: ${SYSTEM_ERRORS[code] ?? message}`);
  const what =
    code === "Z_BUF_ERROR"
      ? "the file is truncated: its data ends"
      : `the gzip data is damaged (${message}) soon`;
  return inputError(`${path}:${lines + 1}: ${what} after line ${lines}`);
}

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "it is a directory",
  EACCES: "permission denied",
};
