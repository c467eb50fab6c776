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
