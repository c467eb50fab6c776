/** Objects of others' allocators, which this thread opens to free them. */
import type { Letter } from "./control.ts";
import { decode, type Opened, open } from "./kinds.ts";
import type { Tenant } from "./tenant.ts";

/** Letters that are looked at in one go. */
const SOME = 8;

export class Post {
  private readonly tenant: Tenant;
  /** Allocators of others that are open here, by owner and number. */
  private readonly opened = new Map<string, Opened>();

  constructor(tenant: Tenant) {
    this.tenant = tenant;
  }

  /** Frees some of the objects that came. */
  collect(): void {
    for (let left = SOME; left > 0 && this.collectOne(); left--);
    for (const [name, { isOpen }] of this.opened) if (!isOpen) this.opened.delete(name);
  }

  /** All. Nobody writes any more. */
  collectAll(): void {
    while (this.collectOne());
  }

  /** This thread has attached again. */
  reopen(): void {
    this.opened.clear();
  }

  private collectOne(): boolean {
    const { control, thread, random, pools, tally } = this.tenant;
    const letter = control.receive(thread, random(64));
    if (letter === undefined) return false;
    const pool = this.open(letter);
    // the owner has ended the allocator: what it had is not to be touched any more, and will be told to be out
    if (pool === undefined) return true;
    pools.release(pool, decode(letter.shape), letter.p, random(8));
    tally.add("freedElsewhere");
    return true;
  }

  private open(letter: Letter): Opened | undefined {
    const { owner, serial, shape } = letter;
    const { heap, control } = this.tenant;
    const name = `pool ${owner}.${serial}`;
    const there = this.opened.get(name);
    if (there?.isOpen) return there;
    if (!control.open(letter)) return undefined;
    const opened = open(heap, name, decode(shape));
    control.opened(letter);
    this.opened.set(name, opened);
    return opened;
  }
}
