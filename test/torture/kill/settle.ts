/** When all threads have gone: the books; then all that is held is freed, and nothing may be left but what died in a hand. */
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
  estates.free(held);
  await drain(heap);
  balance(heap, { held: [], unknown, leaked: killer.leaked, blocksBefore }, problems);
  heap.detach();
  problems.push(...unexplained(heap.verify()));
  return books;
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
