/** TypeScript of a recipe, run where nothing but the language is there: no files, no network, no modules, no clock to wait for. */
import { stripTypeScriptTypes } from 'node:module';
import { type Context, createContext, SourceTextModule } from 'node:vm';
import type { JudgedAnswerText } from './answer.ts';

/** Texts and numbers go in and come out, never an object of this side: by one, code could reach what is around it. */
export type Judge = (answers: string) => Promise<string>;

/**
 * Runs inside of the context, after the module. Chance would make a resumed run another one.
 * @see Judge
 */
const around = `
Math.random = () => { throw new Error('a reward must not be random: a resumed run would be another one'); };
globalThis.judge = async (answers) => {
  try {
    return JSON.stringify({ values: await globalThis.reward(JSON.parse(answers)) }, (_, value) =>
      typeof value === 'number' && !Number.isFinite(value) ? String(value) : value);
  } catch (error) {
    return JSON.stringify({ error: String(error?.stack ?? error).split('\\n').slice(0, 4).join('\\n') });
  }
};
`;

/**
 * The default export of a module as a function over texts.
 * @throws Error that names file and line where the module is no TypeScript, imports something or exports no function
 */
export async function openSandbox(path: string, source: string): Promise<Judge> {
  const context = createContext(Object.create(null), {
    codeGeneration: { strings: false, wasm: false },
  });
  const module = parsed(path, () => {
    const code = stripTypeScriptTypes(source, { mode: 'strip' });
    return new SourceTextModule(code, {
      context,
      identifier: path,
      importModuleDynamically: (specifier) => refuseLater(specifier, context),
    });
  });
  await module.link(refuseImport);
  await module.evaluate();
  const exported = (module.namespace as Record<string, unknown>)['default'];
  if (typeof exported !== 'function') throw new Error('it has no `export default function`');
  // Both functions are of the context; only their names are known on this side.
  const bridge = new SourceTextModule(`import reward from 'reward'; globalThis.reward = reward; ${around}`, {
    context,
  });
  await bridge.link(() => module);
  await bridge.evaluate();
  const judge = new SourceTextModule('export default globalThis.judge', { context });
  await judge.link(refuseImport);
  await judge.evaluate();
  return (judge.namespace as { default: Judge }).default;
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

/** @throws Error where what came back is not a number for each answer */
export async function judgeWith(judge: Judge, answers: readonly JudgedAnswerText[]): Promise<number[]> {
  const { values, error } = JSON.parse(await judge(JSON.stringify(answers))) as { values?: unknown; error?: string };
  if (error !== undefined) throw new Error(`it throws ${error}`);
  if (!Array.isArray(values)) throw new Error(`it returns ${typeof values}, not a list with a number for each answer`);
  if (values.length !== answers.length)
    throw new Error(`it returns ${values.length} values for ${answers.length} answers`);
  const wrong = values.findIndex((value) => typeof value !== 'number');
  if (wrong >= 0)
    throw new Error(`its value for answer ${wrong + 1} is ${String(values[wrong])}, which is no finite number`);
  return values as number[];
}
