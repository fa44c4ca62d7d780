/** What a command says goes to stdout; what it remarks on the way goes to stderr, so that a pipe gets only results. */

export function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** One JSON value a line, for streams. */
export function printJsonLine(value: unknown): void {
  print(JSON.stringify(value));
}

export function remark(text: string): void {
  process.stderr.write(`${text}\n`);
}
