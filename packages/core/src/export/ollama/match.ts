import { type RenderOptions, type Template, TemplateError } from '../../templates/template.ts';
import type { ChatFamily } from './chatFamily.ts';
import { chatFamilies } from './families.ts';
import { renderGoTemplate } from './goTemplate.ts';
import { plainTurns } from './plainTurns.ts';

export interface Bos {
  readonly text: string;
  /** The tokenizer puts it before every prompt by itself. */
  readonly added: boolean;
}

export interface OllamaTemplate extends ChatFamily {
  /** The system text that the chat template supplies where a conversation has none. */
  readonly system: string | null;
}

interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
  readonly tool_calls?: readonly ReturnType<typeof call>[];
  readonly tool_call_id?: string;
}

/** Numbered within a conversation, as templates number calls that need an id. */
const idOf = (number: number): string => `call0000${number}`;
const call = (number: number, name: string, given: unknown) => {
  return { id: idOf(number), type: 'function', function: { name, arguments: given } };
};
const result = (number: number, content: string): Message => ({ role: 'tool', content, tool_call_id: idOf(number) });
const TOOLS = ['weather', 'add'].map((name) => ({
  type: 'function',
  function: { name, description: `${name} it`, parameters: { type: 'object', properties: { of: { type: 'string' } } } },
}));

const SYSTEM: Message = { role: 'system', content: 'Answer in rhymes.' };
const TURNS: readonly Message[] = [
  { role: 'user', content: 'What is the capital of France?' },
  { role: 'assistant', content: 'Paris.' },
  { role: 'user', content: 'And of Peru?' },
  { role: 'assistant', content: 'Lima,\nby the sea.' },
  { role: 'user', content: 'Thank you!' },
];
const CONVERSATIONS: readonly (readonly Message[])[] = [
  TURNS.slice(0, 1),
  TURNS.slice(0, 3),
  TURNS,
  [SYSTEM, ...TURNS.slice(0, 1)],
  [SYSTEM, ...TURNS],
];

const CALLED: readonly Message[] = [
  { role: 'user', content: 'What is the weather in Lima?' },
  { role: 'assistant', content: '', tool_calls: [call(1, 'weather', { of: 'Lima' })] },
  result(1, '18 C'),
];
const CONVERSATIONS_WITH_TOOLS: readonly (readonly Message[])[] = [
  TURNS,
  CALLED,
  [SYSTEM, ...CALLED],
  [SYSTEM, ...CALLED, { role: 'assistant', content: 'Mild.' }, { role: 'user', content: 'Add.' }],
  [...CALLED, { role: 'assistant', content: '', tool_calls: [call(2, 'add', { of: 'a' })] }, result(2, '7')],
  [
    ...CALLED.slice(0, 1),
    {
      role: 'assistant',
      content: 'Both.',
      tool_calls: [call(1, 'weather', { of: 'Lima' }), call(2, 'add', { of: 'a' })],
    },
    result(1, '18 C'),
    result(2, '7'),
  ],
];

/**
 * The Ollama template that writes conversations exactly as the model's chat template does: that of a known family, else one
 * read off what the template prints. Null when none does. Each is tried on conversations with and without system text,
 * with thinking on, off and unsaid, and a family with tools on calls and results as well: there JSON counts by what it says, as Ollama
 * writes it without blanks.
 * @param forTools the chat template for conversations with tools, where it is another
 * @param now the date that `strftime_now` says, which Ollama's templates have to write out
 */
export function matchFamily(
  template: Template,
  bos: Bos | null,
  now?: Date,
  forTools: Template = template,
): OllamaTemplate | null {
  const printed: Print = (messages, enableThinking) => promptOf(template, messages, { enableThinking, now });
  const prompts = promptsOf(CONVERSATIONS, printed);
  const withTools = promptsOf(CONVERSATIONS_WITH_TOOLS, (messages, enableThinking) =>
    promptOf(forTools, messages, { enableThinking, now, tools: TOOLS }),
  );
  const [first] = prompts;
  if (!first) return null;
  // Ollama's tokenizer adds the token itself where it is told to; elsewhere the template must write it.
  const prefixes = bos?.added ? [bos.text] : bos ? ['', bos.text] : [''];
  for (const prefix of prefixes.filter((text) => first.text.startsWith(text))) {
    const own = plainTurns((messages) => printed(messages)?.slice(prefix.length) ?? null);
    for (const family of [...chatFamilies(first.text), ...(own ? [own] : [])]) {
      for (const system of [null, defaultSystem(family, first.text.slice(prefix.length))]) {
        if (system?.includes('"""')) continue; // a Modelfile cannot quote it
        const fits = prompts.every((prompt) => prompt.text === prefix + render(family, prompt, system));
        const fitsTools = ({ text, ...asked }: Prompt): boolean =>
          withoutBlanks(text) === withoutBlanks(prefix + render(family, asked, system, TOOLS));
        // A template that refuses every conversation with tools knows none.
        if (fits && (!family.tools || (withTools.length > 0 && withTools.every(fitsTools))))
          return { ...family, template: (bos?.added ? '' : prefix) + family.template, system };
      }
    }
  }
  return null;
}

/** A conversation with the generation prompt; null where the template refuses it. */
type Print = (messages: readonly Message[], enableThinking?: boolean) => string | null;

interface Prompt {
  readonly text: string;
  readonly messages: readonly Message[];
  readonly thinking: boolean | undefined;
}

/** What the chat template makes of each conversation; those that it refuses (some take no system text) are left out. */
function promptsOf(conversations: readonly (readonly Message[])[], printed: Print): Prompt[] {
  return conversations.flatMap((messages) =>
    [undefined, true, false].flatMap((thinking) => {
      const text = printed(messages, thinking);
      return text === null ? [] : [{ text, messages, thinking }];
    }),
  );
}

function promptOf(template: Template, messages: readonly Message[], options: RenderOptions): string | null {
  try {
    return template.render(messages, { ...options, addGenerationPrompt: true });
  } catch (error) {
    if (error instanceof TemplateError) return null;
    throw error;
  }
}

/** As Ollama calls a template: the Modelfile's system text is put before conversations that begin otherwise. */
function render(
  family: ChatFamily,
  { messages, thinking }: Omit<Prompt, 'text'>,
  system: string | null,
  tools: typeof TOOLS = [],
): string {
  const lead: readonly Message[] =
    system === null || messages[0]?.role === 'system' ? [] : [{ role: 'system', content: system }];
  const all = [...lead, ...messages];
  return renderGoTemplate(family.template, {
    Messages: all.map(({ role, content, tool_calls: calls = [] }) => ({
      Role: role,
      Content: content,
      Thinking: '',
      ToolCalls: calls.map(({ function: { name, arguments: given } }) => ({
        Function: { Name: name, Arguments: JSON.stringify(given) },
      })),
    })),
    Tools: tools.map((tool) => ({ Function: JSON.stringify(tool.function) })),
    System: all.find(({ role }) => role === 'system')?.content ?? '',
    IsThinkSet: thinking !== undefined,
    Think: thinking === true,
  });
}

/** The text that stands in `prompt`, a conversation without system text, where the family would put one. */
function defaultSystem(family: ChatFamily, prompt: string): string | null {
  const mark = '\u0000';
  const [before = '', after = ''] = render(family, { messages: TURNS.slice(0, 1), thinking: undefined }, mark).split(
    mark,
  );
  const fits = prompt.startsWith(before) && prompt.endsWith(after) && prompt.length > before.length + after.length;
  return fits ? prompt.slice(before.length, prompt.length - after.length) : null;
}

/** JSON with and without the blanks that make no difference to it; definitions of tools may be indented. */
function withoutBlanks(text: string): string {
  const dense = TOOLS.reduce((all, tool) => all.replaceAll(JSON.stringify(tool, null, 4), JSON.stringify(tool)), text);
  return dense.replaceAll(/([,:]) /g, '$1');
}
