/** One line of a table in CSV, as RFC 4180 has it; what is null or undefined is an empty field. */
export function csvLine(fields: readonly (string | number | null | undefined)[]): string {
  return `${fields.map((field) => csvField(field ?? '')).join(',')}\n`;
}

/** Names of runs, files and keys may hold anything. */
export function csvField(field: string | number): string {
  const text = String(field);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
