/** One word that stands for a schedule: scenario, program, and where it left the beaten track. */
import type { Deviation } from "../strategies/replay.ts";

export interface Token {
  readonly scenario: string;
  readonly program: number;
  readonly deviations: readonly Deviation[];
}

/** `clients-nested.7.1c-5.2f-9`: places and decisions to the base 36. */
export function encodeToken({ scenario, program, deviations }: Token): string {
  const parts = deviations.map(({ place, decision }) => `${place.toString(36)}-${decision.toString(36)}`);
  return [scenario, program.toString(36), ...parts].join(".");
}

/** The opposite. Throws an error that says what is wrong. */
export function decodeToken(text: string): Token {
  const [scenario, program, ...parts] = text.split(".");
  const deviations = parts.map((part) => {
    const [place, decision] = part.split("-").map((number) => Number.parseInt(number, 36));
    if (Number.isInteger(place) && Number.isInteger(decision)) return { place, decision };
    throw new Error(`«${part}» is no part of a replay token`);
  });
  const index = Number.parseInt(program ?? "", 36);
  if (Number.isInteger(index)) return { scenario, program: index, deviations };
  throw new Error(`«${text}» is no replay token: copy it whole from a failure's report`);
}
