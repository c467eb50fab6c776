// Notes, as both threads see them.

import { DESK_NOTES, NOTE_AGE, NOTE_BYTES, NOTE_FREQUENCY, NOTE_HOLDERS, NOTE_NEXT } from "./layout.mjs";

export function openNotes(heap) {
  return heap.memCache({ name: "note", size: NOTE_BYTES });
}

/** Starts a note: from here on the audio thread may have it. Returns its offset, or 0 if there is no memory. */
export function press(heap, notes, desk, frequency) {
  const p = notes.alloc();
  if (p === 0) return 0;
  const at = p >>> 2;
  heap.i32[at + NOTE_HOLDERS] = 2;
  heap.i32[at + NOTE_AGE] = 0;
  heap.f32[at + NOTE_FREQUENCY] = frequency;
  push(heap.i32, (desk >>> 2) + DESK_NOTES, p);
  return p;
}

/** Either thread is done with a note: the page because the key is up, the audio thread because it has faded. */
export function letGo(heap, notes, p) {
  if (Atomics.sub(heap.i32, (p >>> 2) + NOTE_HOLDERS, 1) === 1) notes.free(p);
}

/** True once the page has let go of a note that the audio thread has. */
export function isReleased(heap, p) {
  return Atomics.load(heap.i32, (p >>> 2) + NOTE_HOLDERS) === 1;
}

/** Takes all notes that were started: a list, linked by NOTE_NEXT. */
export function takeNotes(heap, desk) {
  return Atomics.exchange(heap.i32, (desk >>> 2) + DESK_NOTES, 0);
}

/** Lock-free: the CAS fails only if the audio thread has just taken the list, or another thread has pushed. */
function push(i32, head, p) {
  let first = 0;
  do {
    first = Atomics.load(i32, head);
    i32[(p >>> 2) + NOTE_NEXT] = first;
  } while (Atomics.compareExchange(i32, head, first, p) !== first);
}
