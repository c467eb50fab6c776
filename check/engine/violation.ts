/** What an oracle throws: the name of what it watches, and what it saw. */
export class Violation extends Error {
  /** The oracle: "leak", "double-owner", ... Mutants name the one that must find them. */
  readonly oracle: string;

  constructor(oracle: string, message: string) {
    super(message);
    this.name = "Violation";
    this.oracle = oracle;
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
