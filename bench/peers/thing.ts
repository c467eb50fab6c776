/** MemPool of @thi.ng/malloc, in JavaScript, over a shared buffer. It walks its list of blocks for each free. */
import { MemPool } from "@thi.ng/malloc";
import { POOL_BYTES, type Pool, poolPeer } from "./peer.ts";

/** Past the first word, which must be nobody's. */
const START = 8;

export function openThing(): Pool {
  const buf = new SharedArrayBuffer(POOL_BYTES);
  const pool = new MemPool({ buf, start: START });
  const subject = {
    alloc: (size: number) => pool.malloc(size),
    free(p: number) {
      pool.free(p);
    },
  };
  return { subject, words: new Int32Array(buf) };
}

export const thing = poolPeer("@thi.ng/malloc", openThing);
