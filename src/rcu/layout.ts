/**
 * Grace periods: two numbers of the whole heap, and in each CPU's area its reader words, what it saw
 * when it last drove a grace period, and its queues of callbacks.
 */

/** Number of the RCU period that is running: odd. Advanced by CAS, by any CPU that saw everyone quiescent. */
export const RCU_SEQ = 0;
/** From one RCU period's number to the next one's. They are odd, so that none is ever 0: see LOCAL_SEEN. */
export const RCU_STEP = 2;
/** Number of the step that tasks trace is at; its lowest bit is the phase that readers enter. As RCU_SEQ. */
export const TRACE_SEQ = 16;
/** Two lines. */
export const SHARED_WORDS = 32;

/** The number of the first period, and of the first step. */
export const FIRST_SEQ = 1;

/** The reader words: every CPU that looks for readers fetches this line, so nothing else is in it. */
/** Depth of nested read sections. Private to the owner, at any depth of calls. */
export const LOCAL_NESTING = 0;
/** Odd inside a read section. Writer: owner; anyone reads: atomic. Plain reads by the owner. */
export const LOCAL_READER = 1;
/** Open tasks-trace sections of each of the two phases. Writer: owner, at any depth; anyone reads: atomic. */
export const LOCAL_TRACE = 2;
/** The queues, one for each kind of callback. */
export const LOCAL_QUEUES = 16;

/** Queue: callbacks given and not in a batch yet: llist. Pushed by the owner at any depth; taken by the holder of TAKER. */
export const QUEUE_NEXT = 0;
/** Taker word of the queue: whoever holds it runs its callbacks. */
export const QUEUE_TAKER = 1;
/** Odd while a batch is under way; counted up when it begins and when it ends. Writer: holder of TAKER, atomically. */
export const QUEUE_BATCH = 2;
/** The batch: list of callbacks that wait for a grace period or to be run. Private to the holder of TAKER. */
export const QUEUE_WAIT = 3;
/** What RCU_SEQ and TRACE_SEQ must have reached before they run. As WAIT. */
export const QUEUE_RCU_TARGET = 4;
export const QUEUE_TRACE_TARGET = 5;
export const QUEUE_WORDS = 8;

/** Kinds of callbacks there can be. */
export const MAX_KINDS = 6;
/** The RCU period that SNAPSHOT is of, or 0 for none. Private to the owner. Begins a line. */
export const LOCAL_SEEN = LOCAL_QUEUES + MAX_KINDS * QUEUE_WORDS;
/** The callback that this CPU is running, or 0. Private to the owner; when it is dead, of whoever looks after what it left. */
export const LOCAL_HAND = LOCAL_SEEN + 1;
/** Closures that the owner's thread was given for each flavour, and has run. Writer: owner, at any depth; anyone reads: atomic. */
export const LOCAL_CLOSURES_GIVEN = LOCAL_SEEN + 2;
export const LOCAL_CLOSURES_RUN = LOCAL_SEEN + 4;
/** What each CPU's reader word was when this CPU began to look: its odd value, or 0 for quiescent. Private to the owner. */
export const LOCAL_SNAPSHOT = LOCAL_SEEN + 6;
