// Installs what package-lock.json says, if that has not been done.

import { npm } from "./child.mjs";
import { changedAt } from "./files.mjs";

/** Resolves to whether the installed packages are those of the lockfile. */
export async function ensureInstall() {
  const installed = changedAt("node_modules/.package-lock.json");
  if (installed >= changedAt("package-lock.json")) return true;
  console.log(
    `install: npm ci, since ${installed === 0 ? "node_modules is missing" : "package-lock.json changed"}`,
  );
  return (await npm(["ci", "--no-audit", "--no-fund"])) === 0;
}
