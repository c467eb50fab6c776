// What publint and "are the types wrong" say about the packed package.

import { readFileSync } from "node:fs";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { runNode, tail } from "../lib/command.ts";

const ATTW = "node_modules/@arethetypeswrong/cli/dist/index.js";

export async function checkMetadata(tarball: string): Promise<string[]> {
  return [...(await lint(tarball)), ...types(tarball)];
}

async function lint(tarball: string): Promise<string[]> {
  const bytes = new Uint8Array(readFileSync(tarball));
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true });
  return messages
    .filter(({ type }) => type !== "suggestion")
    .map((message) => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`);
}

function types(tarball: string): string[] {
  const { good, output } = runNode([ATTW, tarball, "--profile", "esm-only", "--no-color"]);
  return good ? [] : [`attw:\n${tail(output, 30)}`];
}
