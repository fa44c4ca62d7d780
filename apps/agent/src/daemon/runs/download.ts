/** Every step of a run as a table in CSV, for other programs. */
import type { Context } from 'hono';
import { stream } from 'hono/streaming';
import type { RunFeed } from './feed.ts';
import { columns } from './stepTable.ts';

/** A value that was not finite, or not recorded, is an empty field. */
export function downloadSteps(c: Context, feed: RunFeed): Response {
  c.header('Content-Type', 'text/csv; charset=utf-8');
  c.header(
    'Content-Disposition',
    `attachment; filename="${feed.path
      .split('/')
      .at(-1)
      ?.replaceAll(/[^\w.-]/g, '_')}.csv"`,
  );
  c.header('Cache-Control', 'no-store');
  return stream(c, async (out) => {
    await out.write(`${columns.join(',')}\n`);
    for (const { values } of feed.steps()) {
      const lines = Array.from({ length: values.length / columns.length }, (_, row) =>
        Array.from(values.subarray(row * columns.length, (row + 1) * columns.length), textOf).join(','),
      );
      await out.write(`${lines.join('\n')}\n`);
      if (out.aborted) return;
    }
  });
}

const textOf = (value: number): string => (Number.isNaN(value) ? '' : String(value));
