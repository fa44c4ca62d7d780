import { createInterface } from 'node:readline/promises';
import { callsIn } from '@anneal/core/generate/toolCalls';
import type { AnswerEnd, AnswerOptions, Message } from '@anneal/core/protocol/chat';
import type { Chat } from '../service/chat/open.ts';
import { finish } from '../service/finish.ts';
import { describeCall, describeEnd } from '../terminal/answer.ts';
import { colors, shown } from '../terminal/colors.ts';
import { print, printPiece } from '../terminal/print.ts';

const COMMANDS = '/new begins anew, /tool RESULT hands the model what a tool gave, /exit ends';

/**
 * Question after question until Ctrl-D. Ctrl-C interrupts an answer, and ends the conversation between two. Where an answer calls tools,
 * their results are asked for; an empty line gives none.
 */
export async function converse(chat: Chat, opening: readonly Message[], how: AnswerOptions): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  let messages: Message[] = [...opening];
  let answering: AbortController | undefined;
  const ended = new Promise<undefined>((resolve) => terminal.once('close', () => resolve(undefined)));
  const ask = (prompt: string) => Promise.race([terminal.question(shown(colors.bold(prompt))), ended]);
  terminal.on('SIGINT', () => (answering ? answering.abort() : terminal.close()));
  print(colors.dim(`${chat.name}: /new begins anew, /exit or Ctrl-D ends, Ctrl-C interrupts`));
  try {
    for (;;) {
      const line = await ask('> ');
      if (line === undefined || line.trim() === '/exit') return;
      if (line.trim() === '') continue;
      if (line.trim() === '/new') {
        messages = [...opening];
        continue;
      }
      const unknown = unknownCommand(line);
      if (unknown !== null) {
        print(`there is no command ${unknown}: ${COMMANDS}`);
        continue;
      }
      const result = /^\/tool\s+(.*)$/s.exec(line.trim())?.[1];
      let next: Message[] = [
        result === undefined ? { role: 'user', content: line } : { role: 'tool', content: result },
      ];
      while (next.length > 0) {
        messages.push(...next);
        answering = new AbortController();
        const end = await finish(chat.answer({ ...how, messages }, answering.signal), ({ text }) => printPiece(text));
        answering = undefined;
        print();
        print(colors.dim(describeEnd(end)));
        next = await resultsOf(end, ask);
        messages.push(answered(end, how, next.length > 0));
      }
    }
  } finally {
    terminal.close();
  }
}

/** The answer as the template wants it back: calls apart where their results follow, and nothing but those may; else part of its text. */
export function answered({ text, toolCalls }: AnswerEnd, { tools }: AnswerOptions, hasResults: boolean): Message {
  if (!hasResults || !tools) return { role: 'assistant', content: text };
  return { role: 'assistant', content: callsIn(text, tools).content, tool_calls: toolCalls };
}

/** What the tools gave, one message a call; none where a result is left out. */
export async function resultsOf(
  { toolCalls }: AnswerEnd,
  ask: (prompt: string) => Promise<string | undefined>,
): Promise<Message[]> {
  const results: Message[] = [];
  for (const call of toolCalls) {
    const content = await ask(`${describeCall(call)} = `);
    if (content === undefined || content.trim() === '') return [];
    results.push({ role: 'tool', tool_call_id: call.id, name: call.function.name, content });
  }
  return results;
}

/** A line that is meant as a command and is none; null for a question. A path such as /etc/hosts is a question. */
export function unknownCommand(line: string): string | null {
  const [word = '', result] = line.trim().split(/\s+/, 2);
  if (!/^\/[a-z]*$/i.test(word) || ['/new', '/exit'].includes(line.trim())) return null;
  return word === '/tool' && result !== undefined ? null : word;
}
