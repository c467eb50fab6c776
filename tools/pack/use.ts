// Installs the package in a new project and uses it there: types without Node's, the library, the command.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Outcome, runNode, runNpm, tail } from "../lib/command.ts";

// Valid as TypeScript and as JavaScript.
const PROGRAM = `
import { SharedHeap } from "sharedheap";
const heap = SharedHeap.create({ bytes: 1 << 24, maxCpus: 2 });
if (!(heap instanceof SharedHeap)) throw new Error("SharedHeap.create made something else");
`;

const TYPES = {
  compilerOptions: {
    strict: true,
    target: "es2022",
    module: "nodenext",
    lib: ["es2023", "es2024.sharedmemory", "dom", "esnext.disposable"],
    types: [],
    skipLibCheck: false,
    noEmit: true,
  },
  include: ["use.ts"],
};

export function checkUse(tarball: string, folder: string): string[] {
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  writeFileSync(join(folder, "use.ts"), PROGRAM);
  writeFileSync(join(folder, "use.js"), PROGRAM);
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(TYPES));
  const quiet = ["--no-audit", "--no-fund", "--silent"];
  const installed = runNpm(["install", ...quiet, tarball], { cwd: folder });
  if (!installed.good) return [`it cannot be installed:\n${tail(installed.output)}`];
  const cwd = { cwd: folder, timeoutMs: 60_000 };
  return [
    ...failure(
      "its types do not work for a user",
      runNode([resolve("node_modules/typescript/bin/tsc")], cwd),
    ),
    ...failure("it cannot be imported and used", runNode(["use.js"], cwd)),
    ...failure('"sharedheap --help" fails', runNode([commandOf(folder), "--help"], cwd)),
  ];
}

/** The file behind the command, as the installed package.json names it. */
function commandOf(folder: string): string {
  const root = join(folder, "node_modules/sharedheap");
  const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return join(root, bin.sharedheap);
}

function failure(what: string, { good, output }: Outcome): string[] {
  return good ? [] : [`${what}:\n${tail(output)}`];
}
