// What lies in the heap, and where: each number is an index from the object's start, in words of 4 bytes unless it
// says otherwise.

/** A note: a key that is held. Made by the page, played by the audio thread; whoever lets go of it last frees it. */
export const NOTE_NEXT = 0;
export const NOTE_HOLDERS = 1; // 2: both; 1: one has let go
export const NOTE_AGE = 2; // in quanta; the audio thread's
export const NOTE_FREQUENCY = 3; // f32
export const NOTE_BYTES = 16;

/** A voice: one pluck of a string, a damped resonator. Made and freed by the audio thread, while it renders. */
export const VOICE_Y1 = 0; // f64: the last sample, and the one before
export const VOICE_Y2 = 1; // f64
export const VOICE_A1 = 2; // f64: y = A1 * y1 + A2 * y2
export const VOICE_A2 = 3; // f64
export const VOICE_NEXT = 8;
export const VOICE_LEFT = 9; // quanta until it is over
export const VOICE_BYTES = 40;

/** The desk: what the threads tell each other. */
export const DESK_NOTES = 0; // list of notes that the audio thread has not seen yet
export const DESK_STOP = 1; // 1: everybody frees what they have and detaches
export const DESK_PACE = 2; // a note starts a voice every so many quanta
export const DESK_STARTED = 3; // counters of the audio thread: voices,
export const DESK_SOUNDING = 4;
export const DESK_NULLS = 5; // and how often there was no memory for one
export const DESK_BYTES = 24;

export const QUANTUM = 128; // samples that are rendered at a time
