import { UserError } from '@anneal/formats/errors';
import { parse, tokenize } from '@huggingface/jinja';
import type { Program } from './ast.ts';
import { withGroups } from './comparisons.ts';
import { TemplateError } from './errors.ts';
import { globals } from './globals.ts';
import { metered } from './meter.ts';
import { Run, Scope } from './scope.ts';
import { compileBlock, type Execute } from './statements.ts';
import type { Value } from './values.ts';

export { TemplateError } from './errors.ts';

/** The texts a template may print for special tokens; those a tokenizer lacks are undefined variables, as in transformers. */
export interface SpecialTokenTexts {
  readonly bos?: string | undefined;
  readonly eos?: string | undefined;
  readonly pad?: string | undefined;
  readonly unk?: string | undefined;
}

export interface RenderOptions {
  /** End with the opening of an assistant message, for the model to go on. */
  readonly addGenerationPrompt?: boolean;
  readonly tools?: readonly unknown[] | null;
  /** `enable_thinking`; left undefined for the template's own default. */
  readonly enableThinking?: boolean | undefined;
  /** Further variables of the template. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** What `strftime_now` says; the present without it. */
  readonly now?: Date | undefined;
}

export interface RenderedMessages {
  readonly text: string;
  /** The range each message printed; null for one that printed nothing of its own, or in several places. */
  readonly messages: readonly ({ readonly start: number; readonly end: number } | null)[];
  /** Where the last printed message ends; what follows is the generation prompt. */
  readonly end: number;
}

export interface Template {
  readonly source: string;
  /** The text transformers' `apply_chat_template` gives. @throws TemplateError with Jinja's message when the template refuses */
  render(messages: readonly unknown[], options?: RenderOptions): string;
  /** As `render`, with the range of every message. @throws TemplateError */
  renderMessages(messages: readonly unknown[], options?: RenderOptions): RenderedMessages;
}

/** The longest real templates (gpt-oss, Llama 4) have 20,000 characters. */
const MAX_SOURCE = 1 << 18;
/** The lexer's regular expressions take quadratic time on white space. */
const MAX_WHITE_SPACE = 512;
/**
 * Compiles a chat template. It can reach nothing but its arguments: no files, no modules, no JavaScript; its work, output and nesting are bounded.
 *
 * @huggingface/jinja does the parsing. Evaluation is ours, because its interpreter differs from Python where prompts show it (`lstrip` ignores
 * its argument, None prints as nothing, variables survive loop iterations, 1.0 becomes 1), has no bounds, and cannot say which
 * message printed what, on which loss masks depend.
 *
 * @throws UserError `template_invalid`
 */
export function openTemplate(source: string, tokens: SpecialTokenTexts, where = 'the chat template'): Template {
  const execute = compileSource(source, where);
  const special: Record<string, Value> = {};
  for (const name of ['bos', 'eos', 'pad', 'unk'] as const) {
    if (tokens[name] !== undefined) special[`${name}_token`] = tokens[name];
  }

  const run = (messages: readonly unknown[], options: RenderOptions): Run => {
    const conversation = messages.map(withReasoning);
    const state = new Run(new Map(conversation.map((message, i) => [message, i])));
    const scope = new Scope(state, null);
    const { addGenerationPrompt = false, tools = null, enableThinking, variables = {}, now } = options;
    const values: Record<string, unknown> = {
      ...globals(now ?? new Date()),
      ...special,
      ...(enableThinking === undefined ? {} : { enable_thinking: enableThinking }),
      ...variables,
      messages: conversation,
      tools,
      documents: null,
      add_generation_prompt: addGenerationPrompt,
    };
    for (const [name, value] of Object.entries(values)) scope.set(name, value as Value);
    try {
      metered(() => execute(scope));
    } catch (error) {
      if (error instanceof RangeError) throw new TemplateError('the template nests too deeply');
      throw error;
    }
    return state;
  };

  return {
    source,
    render: (messages, options = {}) => run(messages, options).root.text(),
    renderMessages(messages, options = {}) {
      const state = run(messages, options);
      const pieces: Range[][] = messages.map(() => []);
      for (const { message, start, end } of state.printed) if (start < end) pieces[message]?.push({ start, end });
      const end = state.printed.reduce((latest, printed) => Math.max(latest, printed.end), 0);
      return { text: state.root.text(), messages: pieces.map(rangeOf), end };
    },
  };
}

function compileSource(source: string, where: string): Execute {
  const invalid = (what: string, cause?: unknown): UserError =>
    new UserError({
      what: `the chat template cannot be used: ${what}`,
      where,
      next: 'set `chat_template` in the recipe to a template that works, or correct this one',
      code: 'template_invalid',
      cause,
    });
  if (source.length > MAX_SOURCE) throw invalid(`it is longer than ${MAX_SOURCE} characters`);
  if (new RegExp(`\\s{${MAX_WHITE_SPACE}}`).test(source))
    throw invalid(`it holds more than ${MAX_WHITE_SPACE} blanks in a row`);
  try {
    const tokens = tokenize(withoutSigns(source), { lstrip_blocks: true, trim_blocks: true });
    refuseNumbersOtherwiseRead(tokens);
    const grouped = withGroups(tokens, (value): (typeof tokens)[number] => ({ type: 'Identifier', value }));
    return compileBlock((parse(grouped) as unknown as Program).body);
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** The parser makes another number of an integer beyond 2^53, and reads 1_000, 1e3 and 0xff as a number and a name. */
function refuseNumbersOtherwiseRead(tokens: ReturnType<typeof tokenize>): void {
  for (const [index, { type, value }] of tokens.entries()) {
    if (type !== 'NumericLiteral') continue;
    if (!value.includes('.') && !Number.isSafeInteger(Number(value))) {
      throw new TemplateError(
        `it writes ${value}, an integer beyond 2^53; quotes make a text of it, which prints the same`,
      );
    }
    const next = tokens[index + 1];
    if (next?.type === 'Identifier' && /^(_\d|e\d|[xob][\da-f])/i.test(next.value)) {
      throw new TemplateError(`it writes ${value}${next.value}: write the number in decimal digits alone`);
    }
  }
}

/**
 * Jinja's lexer ends every line of a template with \n. A plus at the border of a tag keeps the white space there that is stripped
 * otherwise, as does an empty text; the parser of the library does not know it.
 */
const withoutSigns = (source: string): string =>
  source
    .replace(/\r\n?/g, '\n')
    .replace(/\{([%#])\+/g, "{{ '' }}{$1")
    .replace(/\+([%#])\}/g, "$1}{{ '' }}");

const REASONING = ['reasoning_content', 'thinking', 'reasoning'] as const;

/** transformers offers a message's reasoning under the names that templates read. Always a new object, so that each message is told apart. */
function withReasoning(message: unknown): object {
  const fields = message as Readonly<Record<string, unknown>>;
  const key = REASONING.find((name) => fields[name] !== undefined && fields[name] !== null);
  return key === undefined ? { ...fields } : { thinking: fields[key], ...fields, reasoning_content: fields[key] };
}

type Range = { readonly start: number; readonly end: number };

/** One range of adjoining pieces; null for none, or pieces apart. */
function rangeOf(pieces: readonly Range[]): Range | null {
  const [first, last] = [pieces[0], pieces.at(-1)];
  if (first === undefined || last === undefined) return null;
  const adjoining = pieces.every((piece, i) => i === 0 || piece.start === pieces[i - 1]?.end);
  return adjoining ? { start: first.start, end: last.end } : null;
}
