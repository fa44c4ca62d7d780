/** `anneal chat`: one answer, or a conversation on the terminal. */
import { text as readAll } from 'node:stream/consumers';
import { UserError } from '@anneal/core/errors';
import { openAnswerer } from '@anneal/core/generate/answerer';
import { quantizationOf } from '@anneal/core/trainer/job';
import type { ChatOptions } from '../commands/chat.ts';
import { type ModelSource, resolveSource } from '../modelSource.ts';
import { errorColors } from '../terminal/colors.ts';
import { print, printJson, printPiece, remark } from '../terminal/print.ts';
import { ProgressLine } from '../terminal/progressLine.ts';
import { type Ask, askWith, describeCut, describeEnd, type Message, unknownSwitches } from './answer.ts';
import { converse } from './converse.ts';
import { readToolsFile } from './tools.ts';

export async function chat(name: string, options: ChatOptions): Promise<void> {
  const tools = readToolsFile(options.tools);
  const prompt = await promptOf(options);
  const source = await resolveSource(name, options);
  refuseBaseOfFullTraining(source, options);
  const thinking = options.thinking ?? source.text.enableThinking;
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  const answerer = await openAnswerer({
    modelPath: source.modelPath,
    adapterFolder: source.adapterFolder,
    weightType: options.dtype,
    quantization: source.run ? quantizationOf(source.run.recipe) : 'none',
    contextLength: options.context,
    text: { ...source.text, enableThinking: thinking },
    onLoad: (loaded, total) => line?.show(`loading ${source.name}: ${loaded} of ${total} tensors`),
  }).finally(() => line?.clear());
  try {
    const system: Message[] = options.system === undefined ? [] : [{ role: 'system', content: options.system }];
    for (const what of unknownSwitches(answerer.text, options, tools)) {
      remark(`${errorColors.yellow('warning:')} ${what}`);
    }
    const ask = askWith(answerer, { ...options, tools, ...(thinking !== undefined && { thinking }) });
    if (prompt === undefined) await converse(source.name, system, ask);
    else await answerOnce([...system, { role: 'user', content: prompt }], ask, options);
  } finally {
    await answerer.close();
  }
}

async function answerOnce(messages: readonly Message[], ask: Ask, options: ChatOptions): Promise<void> {
  const end = await ask(messages, (piece) => {
    if (!options.json) printPiece(piece);
  });
  if (options.json) return printJson(end);
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

function refuseBaseOfFullTraining(source: ModelSource, options: ChatOptions): void {
  if (!options.base || source.adapterFolder !== null || source.run === null) return;
  throw new UserError({
    what: 'this run trained every weight, so there is no base model beneath it',
    where: source.run.path,
    next: `name the base model instead: anneal chat ${source.baseModel}`,
    code: 'no_adapter',
  });
}
