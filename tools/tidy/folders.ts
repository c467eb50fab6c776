// What each folder of src must hold.

import { posix } from "node:path";
import { LAYERS } from "../layers/imports.ts";
import type { Problem } from "../lib/source.ts";

/** These have no words of their own in the heap. */
const WITHOUT_LAYOUT = ["inspect", "audit"];

export function checkFolders(paths: string[]): Problem[] {
  const present = new Set(paths);
  const needed = [...readmes(paths), ...doors()];
  return needed
    .filter(([path]) => !present.has(path))
    .map(([path, why]) => ({ path, line: 1, message: `this file is missing: ${why}` }));
}

function readmes(paths: string[]): [string, string][] {
  const folders = new Set(paths.map((path) => posix.dirname(path)).filter((folder) => folder !== "src"));
  return [...folders].map((folder) => [`${folder}/README.md`, "it says what the folder is for"]);
}

function doors(): [string, string][] {
  const layouts = LAYERS.filter((layer) => !WITHOUT_LAYOUT.includes(layer));
  return [
    ...LAYERS.map((layer): [string, string] => [`src/${layer}/index.ts`, "it is what other layers import"]),
    ...layouts.map((layer): [string, string] => [`src/${layer}/layout.ts`, "it says where the words are"]),
  ];
}
