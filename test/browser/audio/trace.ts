/** What a browser's trace says about the audio thread. */

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  /** Microseconds for which the thread ran, without those for which it was kept from running. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

export const CATEGORIES = ["v8", "disabled-by-default-v8.gc"];

const AUDIO_THREAD = /AudioWorklet/;
const COLLECTION = /^(MinorGC|MajorGC)$/;
/** A call of `process`. */
const CALL = "v8.callFunction";

export interface AudioThread {
  /** How often its garbage was collected. */
  readonly collections: number;
  /** Microseconds for which it ran in each call of `process`; undefined where the browser does not say. */
  readonly ran: readonly (number | undefined)[];
}

export function audioThread(trace: Buffer): AudioThread {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const threads = new Set(
    traceEvents
      .filter(
        ({ name, ph, args }) => ph === "M" && name === "thread_name" && AUDIO_THREAD.test(args.name ?? ""),
      )
      .map(threadOf),
  );
  const events = traceEvents.filter((event) => event.ph === "X" && threads.has(threadOf(event)));
  const calls = events.filter(({ name }) => name === CALL).sort((a, b) => a.ts - b.ts);
  return {
    collections: events.filter(({ name }) => COLLECTION.test(name)).length,
    ran: calls.map(({ tdur }) => tdur),
  };
}

function threadOf({ pid, tid }: TraceEvent): string {
  return `${pid} ${tid}`;
}
