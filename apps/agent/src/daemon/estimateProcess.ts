/** An estimate, made by the command line in a process of its own: it prepares the data, and the agent goes on serving. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '@anneal/core/errors';
import { type Estimate, estimateSchema } from '@anneal/core/protocol/estimates';
import { errorSchema } from '@anneal/core/protocol/events';
import { z } from 'zod';

const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : './main.js', import.meta.url));

/** An estimate has some KiB. */
const mostCharacters = 4 << 20;

const answerSchema = z.union([estimateSchema, z.object({ error: errorSchema })]);

/** @throws UserError what the command line says is wrong */
export async function estimateInProcess(recipe: string, signal: AbortSignal): Promise<Estimate> {
  const child = spawn(process.execPath, [main, 'estimate', recipe, '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    signal,
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    if (text.length < mostCharacters) text += piece;
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  const answer = answerSchema.safeParse(parsed(text)).data;
  if (answer && 'memory' in answer) return answer;
  if (answer?.error) throw new UserError(answer.error);
  throw new Error(`the estimate of ${recipe} ended without an answer`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
