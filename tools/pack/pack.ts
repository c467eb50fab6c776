// npm pack, into a folder elsewhere.

import { join } from "node:path";
import { runNpm, tail } from "../lib/command.ts";

export interface Packed {
  tarball: string;
  files: string[];
  bytes: number;
}

export function pack(folder: string): Packed {
  const { good, output } = runNpm(["pack", "--json", "--silent", "--pack-destination", folder]);
  if (!good) throw new Error(`npm pack failed:\n${tail(output)}`);
  // Configuration warnings may stand before or after the JSON.
  const json = output.slice(output.search(/^[[{]/m), output.search(/^[\]}]/m) + 1);
  const answer = JSON.parse(json);
  const [info] = Array.isArray(answer) ? answer : Object.values<typeof answer>(answer);
  const files = info.files.map((file: { path: string }) => file.path);
  return { tarball: join(folder, info.filename), files, bytes: info.size };
}
