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
    const { width, functions } = feed.steps;
    const names = [...columns, ...functions.map((name) => quoted(`rewardByFunction.${name}`))];
    await out.write(`${names.join(',')}\n`);
    for (const { values } of feed.steps.rows(0)) {
      const lines = Array.from({ length: values.length / width }, (_, row) =>
        Array.from(values.subarray(row * width, (row + 1) * width), textOf).join(','),
      );
      await out.write(`${lines.join('\n')}\n`);
      if (out.aborted) return;
    }
  });
}

/** Names of files may hold anything. */
const quoted = (name: string): string => (/[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

const textOf = (value: number): string => (Number.isNaN(value) ? '' : String(value));
