/** What must be so of audits: nothing is found where nobody died, all is told before it is mended, and nothing is left. */
import type { AuditReport } from "#src/audit/index.js";
import type { Booted } from "#src/boot.js";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkSound } from "./books.ts";

/** More polls than what waits for nobody needs to get to slab. */
const POLLS = 4;

/** Audits, and again. Returns what the second one says. */
export function auditTwice(library: Library, system: Booted, dead: readonly number[]): AuditReport {
  const audit = (repair: boolean) =>
    library.audit.audit(system, { repair }, () => {
      for (let i = 0; i < POLLS; i++) library.task.poll(system);
    });
  const seen = audit(false);
  const report = audit(true);
  for (const each of [seen, report])
    if (dead.length === 0 && !each.isClean)
      throw new Violation("audit", `nobody died: ${JSON.stringify(each)}`);
  if (seen.inHand.length < report.inHand.length)
    throw new Violation("audit", "more was mended than a look before it had told");
  checkSound(library, system);
  const again = audit(true);
  if (!again.isClean) throw new Violation("audit", `something was left: ${JSON.stringify(again)}`);
  return again;
}
