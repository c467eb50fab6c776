/** Destructors of a debug heap get the program's part of an object, as the program does. */
import { checkFunction, checkName, type Directory } from "../arena/index.ts";
import { type Destructor, Destructors } from "../memalloc/index.ts";
import { HEADER_BYTES } from "../memalloc/layout.ts";
import { type Pages, slabCacheOf, slabPageAt } from "../mm/index.ts";
import { isGuarded } from "./placement.ts";
import { SHIFT_BYTES } from "./pools.ts";

export class DebugDestructors extends Destructors {
  private readonly pages: Pages;

  constructor(directory: Directory, pages: Pages) {
    super(directory);
    this.pages = pages;
  }

  override register(name: string, fn: Destructor): void {
    checkFunction(`the destructor "${checkName(name)}"`, fn);
    super.register(name, (start) => fn(this.isGuarded(start) ? start + SHIFT_BYTES : start));
  }

  /** Others are as in release mode. */
  private isGuarded(start: number): boolean {
    const page = slabPageAt(this.pages, (start - HEADER_BYTES) >>> 2);
    return isGuarded(this.pages, slabCacheOf(this.pages, page));
  }
}
