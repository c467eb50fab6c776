/**
 * A CPU whose refills others do: it allocates and frees in NMI context, asks, takes what it was given, and may go
 * away; two helpers serve it at once.
 */
import type { Booted, Tuning } from "#src/boot.js";
import type { MemCache } from "#src/memalloc/index.js";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkBooks } from "../oracles/books.ts";
import { Ledger } from "../oracles/ledger.ts";
import { bootCpus, pollUntilQuiet } from "./small-heap.ts";

const SIZE = 2040;
const HELPED = 0;
/** Hands of the ledger: of the program, and of its nested calls. */
const PROGRAM = 0;
const NESTED = 1;

export class KthreadClients implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 3;
  readonly nested: readonly Call[];
  readonly calls: Record<"nmi" | "alloc" | "free" | "close" | "help", Call>;
  protected readonly library: Library;
  protected readonly booted: readonly Booted[];
  protected readonly pool: MemCache;
  protected readonly ledger = new Ledger(2);

  constructor(library: Library, tuning: Tuning) {
    this.library = library;
    this.booted = bootCpus(library, this.cpus, 24, tuning, { helped: HELPED });
    this.words = this.booted[0].arena.words;
    this.pool = this.booted[HELPED].allocators.openMemCache("objects", SIZE);
    const { nested, ...calls } = this.makeCalls();
    this.calls = calls;
    this.nested = [nested];
  }

  reset(): void {
    this.ledger.reset();
  }

  fingerprint(cpu: number): number {
    return cpu === HELPED ? this.ledger.fingerprint(PROGRAM) * 31 + this.ledger.fingerprint(NESTED) : 0;
  }

  quiesce(dead: readonly number[]): void {
    if (dead.length === 0) pollUntilQuiet(this.library, this.booted);
  }

  finish(dead: readonly number[]): void {
    checkBooks(this.library, this.booted[HELPED], this.ledger.out, dead);
  }

  private makeCalls(): KthreadClients["calls"] & { nested: Call } {
    const { cpu, allocators } = this.booted[HELPED];
    const inNmi = (fn: () => number) => cpu.nested(this.library.cpu.NMI_SHIFT, fn);
    const book = (hand: number) => (_cpu: number, _argument: number, p: number) => {
      if (p !== 0) this.ledger.got(hand, p);
    };
    return {
      nmi: { name: "nmi alloc", run: () => inNmi(() => this.pool.alloc()), done: book(PROGRAM) },
      alloc: {
        name: "alloc",
        run: () => this.pool.alloc(),
        done: (_cpu, _argument, p) => {
          if (p === 0)
            throw new Violation("spurious-null", "alloc in task context returned NULL with memory left");
          this.ledger.got(PROGRAM, p);
        },
      },
      free: {
        name: "free",
        begin: () => this.ledger.giveUp(PROGRAM, 0),
        run: (_cpu, p) => {
          this.pool.free(p);
          return 0;
        },
      },
      close: {
        name: "close",
        run: () => {
          allocators.giveUpAll();
          return 0;
        },
      },
      help: {
        name: "help",
        run: (cpu) => {
          this.booted[cpu].helper.poll();
          return 0;
        },
      },
      nested: {
        name: "nested alloc",
        run: (on) => (on === HELPED ? inNmi(() => this.pool.alloc()) : 0),
        done: book(NESTED),
      },
    };
  }
}
