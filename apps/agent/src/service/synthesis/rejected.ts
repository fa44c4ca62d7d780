/** What was left out when rows were made, as it lies beside them. */
import { existsSync } from 'node:fs';
import { openSource } from '@anneal/core/datasets/read';
import { type RejectedRows, type RejectedRowsRequest, rejectedRowsRequest } from '@anneal/core/protocol/synthesis';
import { SynthesisFolder } from '@anneal/core/synthesis/folder';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';

const text = z.string().nullish().default(null);
const rejectedSchema = z.object({
  reason: z.string(),
  detail: z.string(),
  question: text,
  answer: text,
  content: text,
  anneal_provenance: z.object({ source: text, row: z.int().nullish() }).nullish(),
});
/** Of each text. */
const mostCharacters = 2000;

/** None where nothing was left out, or the file was not made so. @throws UserError for a list that cannot be read */
export async function readRejected(_: Context, request: RejectedRowsRequest): Promise<RejectedRows> {
  const { file, offset, limit } = parseRequest(rejectedRowsRequest, request);
  const { rejectedFile } = new SynthesisFolder(file);
  if (!/\.jsonl$/i.test(file) || !existsSync(rejectedFile)) return { total: 0, rows: [] };
  const source = await openSource(rejectedFile);
  try {
    const rows = (await source.page(offset, limit)).map(({ value }) => rejectedSchema.parse(value));
    return {
      total: source.rowCount,
      rows: rows.map(({ reason, detail, question, answer, content, anneal_provenance: from }) => ({
        reason,
        detail: cut(detail),
        question: question && cut(question),
        answer: answer && cut(answer),
        content: content && cut(content),
        source: from?.source ? `${from.source}${from.row ? `:${from.row}` : ''}` : null,
      })),
    };
  } finally {
    await source.close();
  }
}

const cut = (whole: string): string => (whole.length > mostCharacters ? `${whole.slice(0, mostCharacters)}…` : whole);
