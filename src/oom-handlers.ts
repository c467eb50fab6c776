/** What the program does when the heap is out of memory: functions that may free something. (The kernel's oom notifiers.) */
import { checkFunction } from "./arena/index.ts";
import { tell } from "./tell.ts";

interface Handler {
  readonly fn: () => void;
}

export class OomHandlers {
  private handlers: readonly Handler[] = [];

  /** Returns what ends it. Errors: `bad-option`. */
  add(fn: () => void): () => void {
    checkFunction("onOutOfMemory's handler", fn);
    const handler = { fn };
    this.handlers = [...this.handlers, handler];
    return () => {
      this.handlers = this.handlers.filter((each) => each !== handler);
    };
  }

  /** Calls them, in the order in which they were given. False: there are none. */
  readonly call = (): boolean => {
    const { handlers } = this;
    for (const { fn } of handlers) tell(fn);
    return handlers.length > 0;
  };
}
