/** What the fuzzers' command lines have in common. */

export function integer(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`--${name} is ${text}: use an integer from ${min} to ${max}`);
}

/** Reads the arguments and runs, or says what is wrong with them, or prints the help text. Returns the exit code. */
export async function command<Options extends { readonly help: boolean }>(
  help: string,
  read: (args: string[]) => Options,
  run: (options: Options) => number | Promise<number>,
): Promise<number> {
  let options: Options;
  try {
    options = read(process.argv.slice(2));
  } catch (error) {
    console.error(`fuzz: ${(error as Error).message}`);
    return 2;
  }
  if (!options.help) return run(options);
  process.stdout.write(help);
  return 0;
}
