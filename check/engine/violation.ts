/** One of the accesses that a violation is about. */
export interface Site {
  readonly cpu: number;
  /** "read", "write", ... */
  readonly what: string;
  /** As of an Error; empty if the schedule was not traced. */
  readonly stack: string;
}

/** What an oracle throws: the name of what it watches, and what it saw. */
export class Violation extends Error {
  /** The oracle: "leak", "double-owner", ... Mutants name the one that must find them. */
  readonly oracle: string;
  /** Of a race: where both accesses are. */
  readonly sites: readonly Site[];

  constructor(oracle: string, message: string, sites: readonly Site[] = []) {
    super(message);
    this.name = "Violation";
    this.oracle = oracle;
    this.sites = sites;
  }
}

/** Errors of the code under test are violations too: calls that the program made rightly must not throw. */
export function asViolation(error: unknown): Violation {
  if (error instanceof Violation) return error;
  const { name, message, stack } = error as Error;
  const code = (error as { code?: string }).code;
  const violation = new Violation(code ?? "exception", `${name}: ${message}`);
  if (stack !== undefined) violation.stack = stack;
  return violation;
}
