/** When all threads have gone: the books, an audit, the books again, with nothing in hand; then all that is held is freed. */
import { type Books, balance, drain } from "./books.ts";
import type { Held, Journal } from "./journal.ts";
import { unexplained } from "./transit.ts";
import type { Ward } from "./ward.ts";

/** `journals`: the survivors'. Detaches. `problems` gets what is wrong. */
export async function settle(ward: Ward, journals: readonly Journal[], problems: string[]): Promise<Books> {
  const { heap, killer, estates, board, blocksBefore } = ward;
  await drain(heap);
  problems.push(...lostCpus(ward), ...openSections(ward));
  const { unknown } = estates;
  const lying = board.takeAll().map((object) => ({ ...object, isStamped: true }));
  const held: Held[] = [...journals.flatMap(({ held }) => held), ...estates.held, ...lying];
  const books = balance(heap, { held, unknown, leaked: killer.leaked, blocksBefore }, problems);
  problems.push(...unexplained(heap.verify()));
  const found = heap.audit();
  // an owned object that names nobody is alive by its header, and in hand by its owner word
  const neither = found.inHand.filter(({ p }) => !books.alive.has(p)).length;
  if (neither !== books.inHand)
    problems.push(`${books.inHand} objects are in hand, and the audit found ${neither}`);
  await drain(heap);
  problems.push(...leftByAudit(ward));
  checkBooks(ward, held, problems);
  estates.free(held);
  await drain(heap);
  checkBooks(ward, [], problems);
  heap.detach();
  problems.push(...heap.verify());
  return books;
}

/** The books after an audit. */
function checkBooks(
  { heap, killer, estates, blocksBefore }: Ward,
  held: readonly Held[],
  problems: string[],
) {
  const { unknown } = estates;
  const { inHand } = balance(heap, { held, unknown, leaked: killer.leaked, blocksBefore }, problems);
  if (inHand !== 0) problems.push(`${inHand} objects are in hand after the audit`);
  problems.push(...heap.verify());
}

/** A second audit finds nothing, and what dead threads had begun to end has come to its end. */
function leftByAudit({ heap, killer }: Ward): string[] {
  const again = heap.audit({ repair: false });
  const problems = again.isClean ? [] : [`a second audit found ${JSON.stringify(again)}`];
  if (killer.ending > 0)
    problems.push(`what ${killer.ending} dead threads had made for themselves does not end`);
  return problems;
}

function lostCpus({ heap }: Ward): string[] {
  return heap
    .cpus()
    .filter(({ cpu, state }) => cpu !== heap.cpu && state !== "free")
    .map(({ cpu, state, name }) => `CPU ${cpu} (${name}) is ${state}, and its thread has gone`);
}

function openSections({ heap }: Ward): string[] {
  const { readers, waitingBytes } = heap.stats().rcu;
  const problems = readers.map(({ cpu }) => `CPU ${cpu} is in a read section, and its thread has gone`);
  if (waitingBytes > 0) problems.push(`${waitingBytes} bytes wait for grace periods that do not end`);
  return problems;
}
