import { toJson } from '../templates/json.ts';
import { type RenderOptions, type Template, TemplateError } from '../templates/template.ts';
import { isDict, type Value } from '../templates/values.ts';
import { parseJson } from './rowJson.ts';
import { tryTemplate } from './templateTrial.ts';
import type { Message, ToolCall } from './types.ts';

/** How a template wants the calls of tools. OpenAI's API writes arguments as JSON text, and the content beside them as null. */
export interface CallForm {
  /** `object`: for templates that apply `tojson` or iterate. `text`: for those that concatenate, or print them as they are. */
  readonly arguments: 'object' | 'text';
  /**
   * What a call without words has as its content. `null`: only with it are calls printed, as DeepSeek-R1 does. `either`: null is printed as none.
   * `text`: null would be printed as a word, so that an empty text takes its place.
   */
  readonly wordless: 'null' | 'either' | 'text';
  /** Whether results of tools that are objects, or lists, are printed as JSON. Elsewhere they are given as JSON text. */
  readonly results: { readonly object: boolean; readonly list: boolean };
}

const MARK = 'zqxjcall';
const QUESTION = { role: 'user', content: 'A question' };
/** A tool to try templates with. */
export const TOOL = {
  type: 'function',
  function: { name: 'look', description: 'Looks', parameters: { type: 'object' } },
};

const calling = (content: string | null, given: unknown): Message => {
  const call: ToolCall = { id: 'callcall1', type: 'function', function: { name: 'look', arguments: given } };
  return { role: 'assistant', content, tool_calls: [call] };
};

/** Finds out by rendering a call in each form. */
export function callFormOf(template: Template, options: RenderOptions): CallForm {
  const rendered = (content: string | null, given: unknown): string | null => {
    for (const tools of [null, [TOOL]]) {
      const messages = [QUESTION, calling(content, given)];
      const text = tryTemplate(() => template.render(messages, { ...options, tools }));
      if (!(text instanceof TemplateError) && text.includes(MARK)) return text;
    }
    return null;
  };
  const object = { at: MARK };
  const inText = JSON.stringify(object);
  const printsEmpty = rendered('', object) !== null || rendered('', inText) !== null;
  const content = printsEmpty ? '' : null;
  const [asObject, asText] = [rendered(content, object), rendered(content, inText)];
  // A dict that is printed as it is looks like Python's, not like JSON.
  const isPrintedRaw = asObject?.includes(`{'at': '${MARK}'}`) ?? false;
  const form = asText !== null && (asObject === null || isPrintedRaw) ? 'text' : 'object';
  const given = form === 'text' ? inText : object;
  const [empty, none] = [rendered('', given), rendered(null, given)];
  const printsNull = none === null || (none.includes('None') && !empty?.includes('None'));
  const isWordlessNull = empty === null && none !== null;
  const wordless = isWordlessNull ? 'null' : printsNull ? 'text' : 'either';
  const gives = (result: unknown): boolean => {
    const messages = [
      QUESTION,
      calling(isWordlessNull ? null : '', given),
      { role: 'tool', name: 'look', tool_call_id: 'callcall1', content: result },
    ];
    const text = tryTemplate(() => template.render(messages, { ...options, tools: [TOOL] }));
    return !(text instanceof TemplateError) && text.includes(toJson(result as Value));
  };
  const results = { object: gives({ given: MARK }), list: gives([{ given: MARK }]) };
  return { arguments: form, wordless, results };
}

/** The messages with their calls in the form that the template wants. */
export function inCallForm(messages: readonly Message[], form: CallForm): readonly Message[] {
  return messages.map((message) => {
    if (message.role === 'tool') return { ...message, content: resultIn(message.content, form) };
    if (message.tool_calls === undefined) return message;
    return {
      ...message,
      content: contentIn(message.content, form),
      tool_calls: message.tool_calls.map((call) => callIn(call, form)),
    };
  });
}

function contentIn(content: Message['content'], { wordless }: CallForm): Message['content'] {
  if (wordless === 'null' && content === '') return null;
  return wordless === 'text' && content === null ? '' : content;
}

function resultIn(content: Message['content'], { results }: CallForm): Message['content'] {
  if (typeof content === 'string' || content === null || content === undefined) return content;
  const isPrinted = Array.isArray(content) ? results.list : isDict(content as Value) && results.object;
  return isPrinted ? content : toJson(content as Value);
}

function callIn(call: ToolCall, form: CallForm): ToolCall {
  const { name, arguments: written } = call.function;
  const isText = typeof written === 'string';
  if (isText === (form.arguments === 'text')) return call;
  const given = isText ? parseJson(written).value : toJson(written as Value);
  return { ...call, function: { name, arguments: given } };
}
