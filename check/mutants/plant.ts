/** Makes a copy of the compiled sources with one mutant in it. */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Mutant } from "./table.ts";

/** Returns the folder of the copy. Throws if the line to change is not there exactly once. */
export function plant(
  mutant: Pick<Mutant, "id" | "file" | "from" | "to">,
  sources: string,
  under: string,
): string {
  const folder = join(under, mutant.id);
  rmSync(folder, { recursive: true, force: true });
  cpSync(sources, folder, { recursive: true });
  const path = join(folder, mutant.file);
  const text = readFileSync(path, "utf8");
  const parts = text.split(mutant.from);
  if (parts.length !== 2) {
    throw new Error(
      `mutant ${mutant.id}: ${mutant.file} has ${parts.length - 1} places like «${mutant.from}»; mend the table`,
    );
  }
  writeFileSync(path, parts.join(mutant.to));
  return folder;
}
