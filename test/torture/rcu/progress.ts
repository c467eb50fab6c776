/** Shows a run's progress on standard error: on a terminal in one line, elsewhere in a line now and then. */
import type { WriteStream } from "node:tty";

const TERMINAL_SECONDS = 0.5;
const ELSEWHERE_SECONDS = 10;
const ERASE_LINE = "\r\u001b[K";

export class Progress {
  private readonly stream: Pick<WriteStream, "write" | "isTTY">;
  private next: number;

  constructor(stream: Pick<WriteStream, "write" | "isTTY">) {
    this.stream = stream;
    this.next = this.pause;
  }

  show(seconds: number, text: () => string): void {
    if (seconds < this.next) return;
    this.next = seconds + this.pause;
    this.stream.write(this.stream.isTTY ? `${ERASE_LINE}${text()}` : `${text()}\n`);
  }

  /** Leaves the terminal's line as if nothing had been there. */
  erase(): void {
    if (this.stream.isTTY) this.stream.write(ERASE_LINE);
  }

  private get pause(): number {
    return this.stream.isTTY ? TERMINAL_SECONDS : ELSEWHERE_SECONDS;
  }
}
