/** Rows with what becomes of them, as a file of JSON Lines that a browser saves. */

import { UserError } from '@anneal/core/errors';
import { dataSourceName, problemRowsRequest } from '@anneal/core/protocol/dataView';
import type { RowFilter } from '@anneal/core/protocol/rowVerdicts';
import type { Context } from 'hono';
import { stream } from 'hono/streaming';
import { finish } from '../../service/finish.ts';
import { reporting } from '../../service/reporting.ts';
import { stillWorking, withinPatience } from '../patience.ts';
import type { DataSources } from './dataSources.ts';

export async function downloadRows(c: Context, sources: DataSources): Promise<Response> {
  const { recipe = null, file = null, hub = null, model = null, mapping = null, filter, search = null } = c.req.query();
  const name = dataSourceName.safeParse({ recipe, file, hub, model, mapping });
  const wanted = problemRowsRequest.safeParse({ filter, search });
  if (!name.success || !wanted.success)
    return c.json({ error: { code: 'bad_request', what: 'the address names no rows' } }, 400);
  const given = new AbortController();
  const parts = reporting<string, void>((report) =>
    sources.use(name.data, (opened) => finish(opened.call('problems', wanted.data, given.signal), report)),
  );
  try {
    // What cannot be opened is an answer with its reason, not a file without rows.
    const first = await withinPatience(parts.next(), () => {
      given.abort();
      return stillWorking();
    });
    c.header('Content-Type', 'application/jsonl; charset=utf-8');
    c.header('Content-Disposition', `attachment; filename="${fileName(wanted.data.filter)}"`);
    c.header('Cache-Control', 'no-store');
    return stream(c, async (out) => {
      out.onAbort(() => given.abort());
      for (let part = first; !part.done && !out.aborted; part = await parts.next()) await out.write(part.value);
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return c.json({ error: error.toJSON() }, error.code === 'still_working' ? 503 : 409);
  }
}

const fileName = (filter: RowFilter): string => `rows-${filter}.jsonl`;
