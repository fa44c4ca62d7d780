/** TypeScript of a recipe, run where nothing but the language is there: no files, no network, no modules, no clock, no chance. */
import { stripTypeScriptTypes } from 'node:module';
import { type Context, createContext, Script, SourceTextModule } from 'node:vm';
import { type JudgedAnswerText, mostCharacters } from './answer.ts';

/** Texts go in and come out, never an object of this side: by one, code could reach what is around it. */
export type Judge = (answers: string) => Promise<string>;

/**
 * Runs inside of the context before the module, which therefore can neither keep what is taken away here nor replace what is used here:
 * chance and the clock, by which a resumed run would be another one; memory that threads share; and what is not of the language. The
 * methods of promises stay as they are, for this side awaits some. Its value makes a `Judge` of an exported function.
 */
const preparation = `
'use strict';
(() => {
  const { parse, stringify } = JSON;
  const { isFinite } = Number;
  const { construct } = Reflect;
  const refuse = (what) => {
    throw new Error('a reward must not ' + what + ': a resumed run would be another one');
  };
  Math.random = () => refuse('be random');
  const { Date } = globalThis;
  Date.now = () => refuse('read the clock');
  globalThis.Date = Date.prototype.constructor = new Proxy(Date, {
    apply: () => refuse('read the clock'),
    construct: (target, given, made) =>
      given.length === 0 ? refuse('read the clock') : construct(target, given, made),
  });
  delete Intl.DateTimeFormat;
  for (const name of ['Atomics', 'FinalizationRegistry', 'SharedArrayBuffer', 'WeakRef', 'WebAssembly', 'console'])
    delete globalThis[name];
  Object.freeze(Promise.prototype);
  const shown = (_, value) => (typeof value === 'number' && !isFinite(value) ? '' + value : value);
  return (reward) => async (answers) => stringify({ __proto__: null, returned: await reward(parse(answers)) }, shown);
})()
`;

/**
 * The default export of a module as a function over texts.
 * @throws Error that names file and line where the module is no TypeScript, imports something or exports no function
 */
export async function openSandbox(path: string, source: string): Promise<Judge> {
  const context = createContext(Object.create(null), {
    codeGeneration: { strings: false, wasm: false },
  });
  const judgeOf = new Script(preparation, { filename: 'preparation of the context' }).runInContext(context) as (
    reward: unknown,
  ) => Judge;
  const module = parsed(path, () => {
    const code = stripTypeScriptTypes(source, { mode: 'strip' });
    return new SourceTextModule(code, {
      context,
      identifier: path,
      importModuleDynamically: (specifier) => refuseLater(specifier, context),
    });
  });
  await module.link(refuseImport);
  await module.evaluate().catch(throwAsText);
  const exported = (module.namespace as Record<string, unknown>)['default'];
  if (typeof exported !== 'function') throw new Error('it has no `export default function`');
  return judgeOf(exported);
}

/** What cannot be parsed is said with its line, which Node writes before the stack. */
function parsed<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const { message, stack = '' } = error as Error;
    const line = /^\S*?:(\d+)\n/.exec(stack)?.[1];
    throw new Error(`${path}${line === undefined ? '' : `:${line}`}: ${message}`, { cause: error });
  }
}

const refusal = (specifier: string): string =>
  `it imports ${JSON.stringify(specifier)}: a reward is one file, without files, network or packages`;

function refuseImport(specifier: string): never {
  throw new Error(refusal(specifier));
}

/** The error is thrown inside of the context: code gets hold of it. */
async function refuseLater(specifier: string, context: Context): Promise<never> {
  const refusing = new SourceTextModule(`throw new Error(${JSON.stringify(refusal(specifier))})`, { context });
  await refusing.link(refuseImport);
  await refusing.evaluate();
  throw new Error('a refusal does not end without an error');
}

/** What the function returned, as JSON has it: still to be checked. @throws Error with what it threw */
export async function judgeWith(judge: Judge, answers: readonly JudgedAnswerText[]): Promise<unknown> {
  let text: string;
  try {
    text = await judge(JSON.stringify(answers));
  } catch (thrown) {
    return throwAsText(thrown);
  }
  if (text.length > mostCharacters(answers.length))
    throw new Error(
      `it returns ${text.length} characters of JSON, more than numbers for ${answers.length} answers can have`,
    );
  return (JSON.parse(text) as { returned?: unknown }).returned;
}

function throwAsText(thrown: unknown): never {
  throw new Error(`it throws ${textOf(thrown)}`, { cause: thrown });
}

/** Whatever code throws, with the place where it did. */
export function textOf(thrown: unknown): string {
  try {
    return String((thrown as Error | null)?.stack ?? thrown)
      .split('\n', 4)
      .join('\n');
  } catch {
    return 'something that has no text';
  }
}
