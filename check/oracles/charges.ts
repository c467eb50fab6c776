/** The oracle of groups at rest: what is charged is what is held. */
import type { Booted } from "#src/boot.js";
import type { Holdings } from "#src/mm/index.js";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";

/** `holdings`: what the program holds of each group, by its record. */
export function checkCharges(
  library: Library,
  system: Booted,
  holdings: ReadonlyMap<number, Holdings>,
): void {
  const { memcgs, cpus, areas, chargeStock } = system;
  const problems: string[] = [];
  library.mm.checkMemcg(memcgs, cpus, areas, chargeStock, holdings, (problem) => problems.push(problem));
  if (problems.length > 0) throw new Violation("charges", problems.join("; "));
}
