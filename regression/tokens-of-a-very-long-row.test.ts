/** All tokens of a row of 20 MB made a JSON text longer than a string can be: `anneal inspect --json` ended as a defect. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { MOST_TOKENS_SHOWN } from '../packages/core/src/datasets/inspect.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';

interface Row {
  tokens: unknown[];
  tokenCount: number;
  targetTokens: number;
  tokensLeftOut: number;
}

test('the first are shown, the others counted', async () => {
  const folder = temporaryFolder();
  const model = writeTinyModel(folder);
  const text = 'ant bee '.repeat(MOST_TOKENS_SHOWN / 5);
  writeFileSync(join(folder, 'rows.jsonl'), `${JSON.stringify({ text })}\n{"text":"a"}\n`);
  const inspect = (...options: string[]) => annealIn(folder)('inspect', 'rows.jsonl', '--model', model, ...options);

  const { stdout, stderr } = await inspect('--rows', '1-2', '--json');
  expect(stderr).toBe('');
  const [long, short] = (JSON.parse(stdout) as { rows: [Row, Row] }).rows;
  expect(long.tokens).toHaveLength(MOST_TOKENS_SHOWN);
  expect(long.tokenCount).toBeGreaterThan(text.length);
  expect(long.tokensLeftOut).toBe(long.tokenCount - MOST_TOKENS_SHOWN);
  expect(long.targetTokens).toBe(long.tokenCount - 1);
  expect(short).toMatchObject({ tokenCount: short.tokens.length, tokensLeftOut: 0 });

  const { verdicts } = JSON.parse((await inspect('--verdicts', '--json')).stdout) as { verdicts: object[] };
  expect(verdicts).toMatchObject([long, short].map(({ tokenCount }) => ({ tokens: tokenCount })));
  expect((await inspect('--row', '1')).stdout).toMatch(/^… 6\d,\d{3} more tokens, not shown$/m);
});
