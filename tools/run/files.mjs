// Looking at folders: what is in them, and when it last changed.

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** All files below a folder, as sorted paths that start with the folder; none if it does not exist. */
export function filesIn(folder, ending = "") {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** Modification time in ms; 0 for what does not exist. */
export function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The path below `paths` that changed last. Folders count too: theirs changes when a file is removed. */
export function newest(paths) {
  let found = { path: "", time: 0 };
  const look = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return;
    if (stat.mtimeMs > found.time) found = { path, time: stat.mtimeMs };
    if (stat.isDirectory()) for (const name of readdirSync(path)) look(join(path, name));
  };
  for (const path of paths) look(path);
  return found;
}
