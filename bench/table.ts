/** Tables, for terminals and for documents. */

/** Rows as lines of a terminal: all columns to the right but those of `left`. */
export function align(rows: readonly string[][], left: readonly number[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  return rows.map((cells) => {
    const padded = cells.map((cell, column) =>
      left.includes(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
    );
    return `  ${padded.join("  ")}`.trimEnd();
  });
}

/** A Markdown table; none without rows. */
export function table(
  names: readonly string[],
  marks: readonly string[],
  rows: readonly string[][],
): string[] {
  return rows.length === 0 ? [] : [names, marks, ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
