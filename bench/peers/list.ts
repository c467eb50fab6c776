/** All of them, in the order in which they are printed, and those that this machine has not got. */
import { ALLOCATORS, emscriptenPeers } from "./emscripten.ts";
import { v8Array, v8Object } from "./garbage.ts";
import type { Peer } from "./peer.ts";
import { thing } from "./thing.ts";
import { tlsf } from "./tlsf.ts";

export const PEERS: readonly Peer[] = [thing, tlsf, ...emscriptenPeers(), v8Object, v8Array];

export interface LeftOut {
  readonly subject: string;
  readonly why: string;
}

export function peersLeftOut(): LeftOut[] {
  return ALLOCATORS.filter((allocator) => !PEERS.some(({ name }) => name === allocator)).map((subject) => ({
    subject,
    why: "emcc is not on the PATH",
  }));
}
