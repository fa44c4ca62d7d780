/**
 * Writes the text that the starter model is trained on, into `build/`: node text.ts
 * It was written for Anneal and is dedicated to the public domain (CC0 1.0). The same seed gives the same bytes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { choice } from './choice.ts';
import { conversation } from './conversations.ts';
import { harbourText } from './harbours/harbour.ts';
import { story } from './stories/story.ts';

export const SEED = 1871;
export const STORIES = 8000;
export const CONVERSATIONS = 20_000;

/** Row `index` of the stories: `{"text": …}` */
export function storyRow(index: number): string {
  const c = choice(SEED, 'story', index);
  return JSON.stringify({ text: c.chance(25) ? harbourText(c) : story(c) });
}

/** Row `index` of the conversations: `{"messages": …}` */
export function conversationRow(index: number): string {
  return JSON.stringify({ messages: conversation(choice(SEED, 'conversation', index)) });
}

if (import.meta.main) {
  const build = join(import.meta.dirname, 'build');
  mkdirSync(build, { recursive: true });
  const write = (name: string, rows: number, row: (index: number) => string) =>
    writeFileSync(join(build, name), Array.from({ length: rows }, (_, index) => `${row(index)}\n`).join(''));
  write('stories.jsonl', STORIES, storyRow);
  write('conversations.jsonl', CONVERSATIONS, conversationRow);
}
