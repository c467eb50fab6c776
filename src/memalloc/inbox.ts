/**
 * A CPU that must not be kept from its real-time work has its refills done by others (mode `kthread`). It asks, and is
 * given a chain at a time, through one word of each cache:
 *
 *     INBOX_EMPTY --owner--> INBOX_WANTED --any helper, by CAS--> a chain --owner, by CAS--> INBOX_EMPTY
 *
 * The chain waits there whole, so at most one is there; a helper that is late with a second one gives that back.
 * Who dies in between leaves the word in one of these states, and each of them goes on. A request that a helper took
 * up and died with is made again by the owner's next alloc.
 *
 *              ask, take                           give
 *     ask      owner, at any depth (CAS)           any CPUs
 *     give                                         any CPUs
 *
 * Progress: wait-free.
 */
import { cmpxchg, loadAcquire, type Words } from "#primitive";
import type { Cpu, Cpus } from "../cpu/index.ts";
import { chainFirst, chainLink } from "./chain.ts";
import { INBOX, INBOX_EMPTY, INBOX_WANTED } from "./layout.ts";

export class Inbox {
  private readonly words: Words;
  private readonly cpu: Cpu;
  private readonly cpus: Cpus;

  constructor(cpu: Cpu, cpus: Cpus) {
    this.words = cpu.words;
    this.cpu = cpu;
    this.cpus = cpus;
  }

  /** Asks for a chain, unless one is there. Owner, any context. */
  ask(cache: number): void {
    if (loadAcquire(this.words, cache + INBOX) > 0) return;
    // pairs with isAsked, on helpers: they see the cache's configuration. (Fails if it was asked already.)
    cmpxchg(this.words, cache + INBOX, INBOX_EMPTY, INBOX_WANTED);
    this.cpus.callHelp(this.cpu.id);
  }

  /** Takes the chain that is there: its first object, or 0. Owner, any context. */
  take(cache: number): number {
    const link = loadAcquire(this.words, cache + INBOX);
    // pairs with give: the chain's objects are ours. Fails if a nested call has taken it.
    if (link <= 0 || cmpxchg(this.words, cache + INBOX, link, INBOX_EMPTY) !== link) return 0;
    return chainFirst(link);
  }

  /** No more chains: the owner gives the cache up. Returns the one that was there, or 0. */
  close(cache: number): number {
    const first = this.take(cache);
    if (first === 0) cmpxchg(this.words, cache + INBOX, INBOX_WANTED, INBOX_EMPTY);
    // one may have been given in between
    return first === 0 ? this.take(cache) : first;
  }

  /** True if the owner of that cache waits for a chain. Any CPU. */
  isAsked(cache: number): boolean {
    return loadAcquire(this.words, cache + INBOX) === INBOX_WANTED;
  }

  /** Gives a chain. False if it is not wanted any more. Any CPU. */
  give(cache: number, first: number): boolean {
    // pairs with take: publishes the chain
    return cmpxchg(this.words, cache + INBOX, INBOX_WANTED, chainLink(first)) === INBOX_WANTED;
  }
}
