export { LINE_WORDS, WORD_SHIFT } from "./layout.ts";
export { llistAdd, llistDelAll, llistDelFirst, llistEmpty, llistNext } from "./llist.ts";
export { isLocked, localTryLock, localUnlock } from "./local-lock.ts";
export { releaseTaker, takeOver, tryTake } from "./taker.ts";
