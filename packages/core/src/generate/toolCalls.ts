import { isObject } from '../datasets/formats/format.ts';
import { readToolCall } from '../datasets/formats/message.ts';
import { parseJson } from '../datasets/rowJson.ts';
import type { ToolCall } from '../datasets/types.ts';
import { partThinking } from '../protocol/thinking.ts';
import { toJson } from '../templates/json.ts';
import type { Value } from '../templates/values.ts';

/** What models write before a call; the text of the answer ends with it. */
const OPENING =
  /(?:<tool_call>|<\|tool_call\|>|\[TOOL_CALLS\]|<\|python_tag\|>|<functioncall>|<function_call>|```(?:json)?)\s*$/;

/** As OpenAI's API writes a call: its arguments as JSON text, in which no number changes. */
export interface WrittenCall extends ToolCall {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

/**
 * The calls of tools in an answer, as templates print them in JSON: `{"name": …, "arguments": {…}}` (Hermes, Qwen, Mistral), `parameters` in
 * Llama's, one or in a list. Calls in other forms than JSON stay text, and so do those that a model only thinks of.
 * @param tools definitions; nothing else can be called
 * @param prompt its end may begin a thought
 * @returns what is said before the first call, and the calls, with ids that every template takes
 */
export function callsIn(
  answer: string,
  tools: readonly unknown[],
  prompt = '',
): { content: string; calls: WrittenCall[] } {
  const names = new Set(tools.map((tool) => isObject(tool) && isObject(tool['function']) && tool['function']['name']));
  const calls: ToolCall[] = [];
  const thoughtEnd = endOfThought(answer, prompt);
  let said: number | undefined;
  for (let at = 0; at < answer.length; at++) {
    if (answer[at] !== '{' && answer[at] !== '[') continue;
    const end = endOfJson(answer, at);
    const found = end === null ? null : callsAt(answer.slice(at, end), names);
    if (found === null || (end as number) <= thoughtEnd) continue;
    said ??= at;
    calls.push(...found);
    at = (end as number) - 1;
  }
  const content = said === undefined ? answer : answer.slice(0, said).replace(OPENING, '').trimEnd();
  const written = calls.map(({ type, function: { name, arguments: given } }, i): WrittenCall => {
    const text = typeof given === 'string' ? given : toJson(given as Value);
    // Mistral's templates want ids of nine letters and digits.
    return { id: `call${String(i).padStart(5, '0')}`, type, function: { name, arguments: text } };
  });
  return { content, calls: written };
}

/** -1 where nothing was thought. */
function endOfThought(said: string, prompt: string): number {
  const { thinking, answer } = partThinking(said, prompt);
  return thinking === null ? -1 : said.length - answer.length;
}

/** The calls that a JSON text is, all of them of known tools; null for anything else. */
function callsAt(text: string, names: ReadonlySet<unknown>): ToolCall[] | null {
  let value: unknown;
  try {
    value = parseJson(text).value;
  } catch {
    return null;
  }
  const list = Array.isArray(value) ? value : [value];
  const calls = list.map((item) => {
    const isCall = isObject(item) && ('arguments' in item || 'parameters' in item || isObject(item['function']));
    const call = isCall ? readToolCall(item) : null;
    return call !== null && names.has(call.function.name) ? call : null;
  });
  return calls.length > 0 && !calls.includes(null) ? (calls as ToolCall[]) : null;
}

/** Where the object or list that opens at `start` closes; null where it does not. */
function endOfJson(text: string, start: number): number | null {
  let [depth, inString] = [0, false];
  for (let i = start; i < text.length; i++) {
    const character = text[i];
    if (inString) {
      if (character === '\\') i++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') depth++;
    else if ((character === '}' || character === ']') && --depth === 0) return i + 1;
  }
  return null;
}
