import { UserError } from '@anneal/formats/errors';

/** A prompt written out by hand, with places for the columns of a row: Axolotl's custom prompt. */
export interface PromptFormat {
  /** `…{instruction}…{input}…{thinking}…{output}…`; without `{output}` the output follows at the end. */
  readonly format: string;
  /** The prompt of a row whose input is empty; null: `format` with nothing in the place of the input. */
  readonly noInputFormat: string | null;
  /** What stands before the prompt when there is a system text: `{system}`. */
  readonly systemFormat: string;
  /** The system text of a conversation that has none of its own; empty for none. */
  readonly systemPrompt: string;
}

/** A text, or the place of a column. */
type Part = { readonly text: string } | { readonly place: Place };
type Place = 'instruction' | 'input' | 'thinking' | 'output';

const PROMPT_PLACES = ['instruction', 'input'];
const ANSWER_PLACES = ['thinking', 'output'];

interface Split {
  readonly prompt: readonly Part[];
  /** From the first place that the model fills itself. */
  readonly answer: readonly Part[];
}

/**
 * What is wrong with a format, or null. The answer begins at `{thinking}` or `{output}`: what stands before is prompt, and
 * must be known before the answer.
 */
export function mistakeInFormat(format: string): { what: string; next: string } | null {
  const names = [...format.matchAll(TOKEN)].flatMap(([, name]) => (name === undefined ? [] : [name]));
  const known = [...PROMPT_PLACES, ...ANSWER_PLACES];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    return {
      what: `the format has a place {${unknown}} that no column is read for`,
      next: `write ${known.map((name) => `{${name}}`).join(', ')} and name the columns with field_…; a brace itself is {{ or }}`,
    };
  }
  const twice = ANSWER_PLACES.find((name) => names.filter((other) => other === name).length > 1);
  if (twice !== undefined) return { what: `the format holds {${twice}} twice`, next: 'write it once' };
  if (!names.some((name) => PROMPT_PLACES.includes(name))) {
    return { what: 'the format has no place for the question', next: 'write {instruction} where it belongs' };
  }
  const answerStart = names.findIndex((name) => ANSWER_PLACES.includes(name));
  const late = answerStart < 0 ? undefined : names.slice(answerStart).find((name) => PROMPT_PLACES.includes(name));
  if (late !== undefined) {
    return {
      what: `{${late}} stands after the answer has begun, so the model would have to answer before it is asked`,
      next: 'put {instruction} and {input} before {thinking} and {output}',
    };
  }
  if (names.includes('thinking') && names.at(-1) !== 'output') {
    return { what: 'the format has {thinking} and no {output} after it', next: 'add {output} after {thinking}' };
  }
  return null;
}

const TOKEN = /\{\{|\}\}|\{(\w+)\}/g;

function partsOf(format: string): Part[] {
  const parts: Part[] = [];
  let text = '';
  let from = 0;
  for (const match of format.matchAll(TOKEN)) {
    text += format.slice(from, match.index);
    from = match.index + match[0].length;
    if (match[1] === undefined) text += match[0][0];
    else {
      if (text !== '') parts.push({ text });
      text = '';
      parts.push({ place: match[1] as Place });
    }
  }
  text += format.slice(from);
  return text === '' ? parts : [...parts, { text }];
}

/** Blanks before the answer go with it: tokenizers join a blank with the word after it. */
function split(format: string): Split {
  const parts = partsOf(format);
  const at = parts.findIndex((part) => 'place' in part && ANSWER_PLACES.includes(part.place));
  const prompt = at < 0 ? parts : parts.slice(0, at);
  const answer: Part[] = at < 0 ? [{ place: 'output' }] : parts.slice(at);
  const last = prompt.at(-1);
  if (!last || !('text' in last)) return { prompt, answer };
  const kept = last.text.replace(/ +$/, '');
  const blanks = last.text.slice(kept.length);
  return {
    prompt: [...prompt.slice(0, -1), ...(kept === '' ? [] : [{ text: kept }])],
    answer: blanks === '' ? answer : [{ text: blanks }, ...answer],
  };
}

/** Everything that the model writes for a row: what stands between and after the two columns, too. */
export function answerOf(format: string, columns: { readonly thinking: string; readonly output: string }): string {
  return split(format)
    .answer.map((part) => ('text' in part ? part.text : columns[part.place as 'thinking' | 'output']))
    .join('');
}

/**
 * The format as a chat template, so that training, samples, chat and every export write the same prompt. A user message may
 * have an `input` beside its content; the content of an assistant message is the whole answer. BOS and EOS that the format
 * writes itself, as in many tutorials, stand once.
 * @param addsBos the tokenizer begins plain texts with its BOS token
 * @throws UserError `prompt_format`
 */
export function templateOfPrompt(prompt: PromptFormat, addsBos: boolean): string {
  for (const format of [prompt.format, prompt.noInputFormat ?? prompt.format]) {
    const mistake = mistakeInFormat(format);
    if (mistake) throw new UserError({ ...mistake, where: format, code: 'prompt_format' });
  }
  const { prompt: withInput } = split(prompt.format);
  const { prompt: withoutInput } = split(prompt.noInputFormat ?? prompt.format);
  const system = (text: string) => printed(prompt.systemFormat.split('{system}'), text);
  return [
    addsBos
      ? `{%- if bos_token is defined and not ${quoted(prompt.format)}.startswith(bos_token) -%}{{- bos_token -}}{%- endif -%}`
      : '',
    prompt.systemPrompt === ''
      ? ''
      : `{%- if messages[0]['role'] != 'system' -%}${system(quoted(prompt.systemPrompt))}{%- endif -%}`,
    '{%- for message in messages -%}',
    `{%- if message['role'] == 'system' -%}${system("message['content']")}`,
    "{%- elif message['role'] == 'user' -%}",
    `{%- if message['input'] -%}${promptText(withInput)}{%- else -%}${promptText(withoutInput)}{%- endif -%}`,
    "{%- elif message['role'] == 'assistant' -%}{{- message['content'] -}}",
    "{%- if not message['content'].rstrip().endswith(eos_token) -%}{{- eos_token -}}{%- endif -%}",
    "{%- else -%}{{- raise_exception('this prompt format has no place for a message of the role ' + message['role']) -}}",
    '{%- endif -%}',
    '{%- endfor -%}',
  ].join('');
}

function promptText(parts: readonly Part[]): string {
  const values: Record<string, string> = { instruction: "message['content']", input: "(message['input'] or '')" };
  return parts.map((part) => expression('text' in part ? quoted(part.text) : (values[part.place] as string))).join('');
}

function printed(around: readonly string[], value: string): string {
  return around.map((text) => (text === '' ? '' : expression(quoted(text)))).join(expression(value));
}

function expression(value: string): string {
  return `{{- ${value} -}}`;
}

/** JSON's escapes are Jinja's. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
