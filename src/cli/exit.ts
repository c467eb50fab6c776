/** How the program ends, and the errors that end it with one line instead of a stack trace. */

/** The exit codes, part of the program's interface. */
export const EXIT = { ok: 0, failed: 1, badInput: 2, interrupted: 130 } as const;

/** An error whose message is written for the user, and the exit code that goes with it. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}

/** The command line is wrong: says what, and where to read how it should be. */
export function usageError(message: string, command = ""): CliError {
  const help = command === "" ? "sharedheap --help" : `sharedheap ${command} --help`;
  return new CliError(`${message} (see ${help})`, EXIT.badInput);
}

/** A file is missing, unreadable or not what it should be. */
export function inputError(message: string): CliError {
  return new CliError(message, EXIT.badInput);
}

/** The run itself went wrong. */
export function runError(message: string): CliError {
  return new CliError(message, EXIT.failed);
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
