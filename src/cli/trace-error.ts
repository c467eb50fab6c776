/** Something wrong in a trace, and where. */
export class TraceError extends Error {
  /** The line it is on; 0 until whoever counts the lines fills it in. */
  line = 0;

  constructor(message: string) {
    super(message);
    this.name = "TraceError";
  }
}
