import { createInterface } from 'node:readline/promises';
import type { AnswerOptions, Message } from '@anneal/core/protocol/chat';
import type { Chat } from '../service/chat/open.ts';
import { finish } from '../service/finish.ts';
import { describeEnd } from '../terminal/answer.ts';
import { colors } from '../terminal/colors.ts';
import { print, printPiece } from '../terminal/print.ts';

/** Question after question until Ctrl-D. Ctrl-C interrupts an answer, and ends the conversation between two. */
export async function converse(chat: Chat, system: readonly Message[], how: AnswerOptions): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  let messages: Message[] = [...system];
  let answering: AbortController | undefined;
  const ended = new Promise<undefined>((resolve) => terminal.once('close', () => resolve(undefined)));
  terminal.on('SIGINT', () => (answering ? answering.abort() : terminal.close()));
  print(colors.dim(`${chat.name}: /new begins anew, /exit or Ctrl-D ends, Ctrl-C interrupts`));
  try {
    for (;;) {
      const line = await Promise.race([terminal.question(colors.bold('> ')), ended]);
      if (line === undefined || line.trim() === '/exit') return;
      if (line.trim() === '') continue;
      if (line.trim() === '/new') {
        messages = [...system];
        continue;
      }
      const unknown = unknownCommand(line);
      if (unknown !== null) {
        print(`there is no command ${unknown}: /new begins anew, /exit ends`);
        continue;
      }
      messages.push({ role: 'user', content: line });
      answering = new AbortController();
      const end = await finish(chat.answer({ ...how, messages }, answering.signal), printPiece);
      answering = undefined;
      print();
      print(colors.dim(describeEnd(end)));
      messages.push({ role: 'assistant', content: end.text });
    }
  } finally {
    terminal.close();
  }
}

/** A line that is meant as a command and is none; null for a question. A path such as /etc/hosts is a question. */
export function unknownCommand(line: string): string | null {
  const [word = ''] = line.trim().split(/\s/, 1);
  return /^\/[a-z]*$/i.test(word) && !['/new', '/exit'].includes(line.trim()) ? word : null;
}
