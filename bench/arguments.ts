import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** An option without a default. */
export const required = Symbol('required');
export const optional = Symbol('optional');

/** A number or text is the default of its option. */
type Option = number | string | typeof required | typeof optional;
type Value<Of> = Of extends number ? number : Of extends string | typeof required ? string : string | undefined;

interface Script<Options> {
  /** How it is called: `node bench/uploads.ts`. */
  readonly command: string;
  /** One sentence. */
  readonly about: string;
  /** Those that must be there, in their order. */
  readonly names?: readonly string[];
  /** What all further names are, where there may be some. */
  readonly others?: string;
  readonly options?: Options;
}

/**
 * The names and options that a script was called with. `--help` prints its usage and ends it; so does what it does not
 * know or misses, with a line that says what and exit code 2.
 */
export function readArguments<const Options extends Readonly<Record<string, Option>> = Record<never, never>>(
  script: Script<Options>,
): { names: string[]; values: { [Name in keyof Options]: Value<Options[Name]> } } {
  const { names: wanted = [], others } = script;
  const options = Object.entries(script.options ?? {});
  const known: ParseArgsOptionsConfig = { help: { type: 'boolean' } };
  for (const [name] of options) known[name] = { type: 'string' };
  try {
    const { values: given, positionals: names } = parseArgs({ allowPositionals: true, options: known });
    if (given['help']) {
      console.log(`${script.about}\n\n${usageOf(script)}`);
      process.exit(0);
    }
    if (names.length < wanted.length) throw new Error(`${wanted[names.length]} is missing`);
    if (names.length > wanted.length && others === undefined)
      throw new Error(`'${names[wanted.length]}' is one name too many`);
    const values = options.map(([name, option]) => [name, valueOf(name, option, given[name] as string | undefined)]);
    return { names, values: Object.fromEntries(values) };
  } catch (error) {
    const [what] = (error as Error).message.split('. '); // Node goes on about names that begin with a dash
    console.error(`error: ${what}\n${usageOf(script)}`);
    return process.exit(2);
  }
}

function valueOf(name: string, option: Option, text: string | undefined): string | number | undefined {
  if (text === undefined) {
    if (option === required) throw new Error(`--${name} is missing`);
    return typeof option === 'symbol' ? undefined : option;
  }
  if (typeof option !== 'number') return text;
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number) || number < 0)
    throw new Error(`--${name} takes a number of at least 0, not '${text}'`);
  return number;
}

function usageOf({ command, names = [], others, options }: Script<Readonly<Record<string, Option>>>): string {
  const words = Object.entries(options ?? {}).map(([name, option]) => {
    const value = typeof option === 'symbol' ? name.toUpperCase() : String(option);
    const word = option === '' ? `--${name} TEXT` : `--${name} ${value}`;
    return option === required ? word : `[${word}]`;
  });
  return ['usage:', command, ...names, ...(others === undefined ? [] : [`[${others} …]`]), ...words].join(' ');
}
