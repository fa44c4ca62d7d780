import { text as readAll } from 'node:stream/consumers';
import { writtenConversation } from '@anneal/core/datasets/writtenConversation';
import { UserError } from '@anneal/core/errors';
import {
  type AnswerOptions,
  type AnswerRequest,
  answerOptions,
  type Message,
  type OpenChatRequest,
  openChatRequest,
} from '@anneal/core/protocol/chat';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { LIMITS } from '@anneal/formats/limits';
import type { Command } from 'commander';
import type { Chat } from '../service/chat/open.ts';
import type { ChatWarning } from '../service/chat/warnings.ts';
import { finish } from '../service/finish.ts';
import { describeCut, describeEnd } from '../terminal/answer.ts';
import { errorColors } from '../terminal/colors.ts';
import { print, printJson, printPiece, remark } from '../terminal/print.ts';
import { ProgressLine } from '../terminal/progressLine.ts';
import { addExamples } from './examples.ts';
import { optionFor } from './requestOption.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { addSourceOptions, sourceHelp } from './sourceOptions.ts';
import { useCase } from './useCases.ts';

interface ChatOptions extends RunsOptions, Omit<OpenChatRequest, 'source'>, Omit<AnswerOptions, 'tools'> {
  prompt?: string;
  system?: string;
  /** Paths. */
  tools?: string;
  messages?: string;
}

export function define(command: Command): void {
  const { temperature, topK, topP, minP, repetitionPenalty, maxTokens, seed } = answerOptions.shape;
  const { context, dtype } = openChatRequest.shape;
  addExamples(
    addSourceOptions(command.argument('<source>', sourceHelp))
      .option('--prompt <text>', 'answer this and end; "-" reads it from stdin')
      .option('--messages <file>', 'JSON file with a conversation to answer, results of tools in it; "-": from stdin')
      .option('--system <text>', 'system message of the conversation')
      .option('--tools <file>', 'JSON file with the definitions of functions that the model may call')
      .option('--plain', 'continue the prompt as plain text, without the chat template')
      .option('--base', 'of a run or adapter: the model without what was trained')
      .option('--thinking', 'let a model that can think do so')
      .option('--no-thinking', 'answer at once')
      .addOption(optionFor(temperature, '--temperature <number>', 'randomness; 0 takes the likeliest token each time'))
      .addOption(optionFor(topK, '--top-k <number>', 'choose among so many tokens; 0: all'))
      .addOption(optionFor(topP, '--top-p <number>', 'choose among the tokens that make up this probability'))
      .addOption(optionFor(minP, '--min-p <number>', 'least probability, relative to the likeliest token'))
      .addOption(
        optionFor(repetitionPenalty, '--repetition-penalty <number>', 'above 1: what was said becomes less likely'),
      )
      .option(
        '--stop <text>',
        'a text that ends the answer, and is no part of it; again for another one',
        (value: string, earlier: readonly string[] = []) => [...earlier, value],
      )
      .addOption(optionFor(maxTokens, '--max-tokens <number>', 'longest answer'))
      .addOption(optionFor(context, '--context <number>', 'tokens that the conversation may have'))
      .addOption(optionFor(dtype, '--dtype <type>', 'type of the weights in memory'))
      .addOption(optionFor(seed, '--seed <number>', 'the same seed gives the same answers'))
      .action(talk),
    'anneal chat latest',
    'anneal chat smollm2-135m --prompt "Why is the sky blue?" --temperature 0',
    'anneal chat latest --tools tools.json --prompt "What is the weather in Lima?"',
    'anneal chat latest --tools tools.json --messages conversation.json --json',
  );
}

async function talk(name: string, options: ChatOptions): Promise<void> {
  const [openChat, { readToolsFile }, { converse }] = await Promise.all([
    useCase('openChat'),
    import('../service/chat/tools.ts'),
    import('./converse.ts'),
  ]);
  const {
    system: instruction,
    base,
    dtype,
    context,
    thinking,
    checkpoint,
    tools: toolsFile,
    messages,
    ...how
  } = options;
  const written = messages === undefined ? null : await readConversation(messages, options);
  const tools = toolsFile === undefined ? (written?.tools ?? null) : readToolsFile(toolsFile);
  const prompt = written ? undefined : await promptOf(options);
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  const opened: Chat = await finish(
    openChat(contextOf(options), { source: name, checkpoint, base, dtype, context, thinking }),
    ({ name: model, loaded, total }) => line?.show(`loading ${model}: ${loaded} of ${total} tensors`),
  ).finally(() => line?.clear());
  try {
    const system: Message[] = instruction === undefined ? [] : [{ role: 'system', content: instruction }];
    const { plain, temperature } = how;
    const question: Message = { role: 'user', content: prompt ?? 'A question' };
    const known = [...system, ...(written ? written.messages : [question])];
    const asked = { tools, plain, temperature, system: instruction !== undefined, messages: known };
    for (const warning of opened.warnings(asked)) remark(`${errorColors.yellow('warning:')} ${describe(warning)}`);
    if (!written && prompt === undefined) await converse(opened, system, { ...how, tools });
    else await answerOnce(opened, { ...how, tools, messages: known }, options);
  } finally {
    await opened.close();
  }
}

function describe({ options, why }: ChatWarning): string {
  return [options.map((option) => `--${option}`).join(' with '), why].filter(Boolean).join(': ');
}

async function answerOnce(chat: Chat, question: AnswerRequest, { json }: ChatOptions): Promise<void> {
  const end = await finish(chat.answer(question), ({ text }) => {
    if (!json) printPiece(text);
  });
  if (json) return printJson(end);
  print();
  const cut = describeCut(end);
  if (cut) remark(`${errorColors.yellow('warning:')} ${cut}`);
  if (process.stderr.isTTY) remark(errorColors.dim(describeEnd(end)));
}

/** Undefined for a conversation. */
async function promptOf(options: ChatOptions): Promise<string | undefined> {
  if (options.prompt !== undefined && options.prompt !== '-') return options.prompt;
  if (options.prompt === undefined && process.stdin.isTTY && process.stdout.isTTY && !options.json) return undefined;
  const text = await readAll(process.stdin);
  if (text.trim() !== '') return text; // to the letter: white space at the end is part of a prompt
  throw new UserError({
    what: 'there is nothing to answer: no --prompt, and nothing on stdin',
    next: 'add --prompt "…", or run it on a terminal to have a conversation',
    code: 'prompt_empty',
  });
}

/** @throws UserError */
async function readConversation(
  file: string,
  { prompt, system, plain }: ChatOptions,
): Promise<{ messages: Message[]; tools: readonly unknown[] | null }> {
  const other = Object.entries({ prompt, plain }).find(([, value]) => value !== undefined)?.[0];
  if (other !== undefined) {
    throw new UserError({
      what: `--messages and --${other} exclude each other`,
      next: other === 'prompt' ? 'put the question into the messages' : 'leave one of them out',
      code: 'chat_options',
    });
  }
  const where = file === '-' ? 'stdin' : file;
  const bytes =
    file === '-' ? Buffer.from(await readAll(process.stdin)) : Buffer.from(readSmallFile(file, LIMITS.configBytes));
  const { messages, tools } = writtenConversation(bytes.toString(), where);
  if (messages.at(-1)?.role === 'assistant') {
    throw new UserError({
      what: 'the conversation ends with an answer, and nothing is asked after it',
      where,
      next: 'end it with a question, or with the result of a tool',
      code: 'chat_options',
    });
  }
  if (system === undefined || messages[0]?.role !== 'system') return { messages: messages as Message[], tools };
  throw new UserError({
    what: '--system and a system message in --messages exclude each other',
    where,
    next: 'leave one of them out',
    code: 'chat_options',
  });
}
