/** Every step of a run, or what several came to, as a table in CSV for other programs. */
import type { Context } from 'hono';
import { stream } from 'hono/streaming';
import { csvField } from '../../service/csv.ts';
import { compareRecords } from '../../service/runs/compare.ts';
import { comparisonCsv } from '../../service/runs/comparisonCsv.ts';
import type { RunFeed } from './feed.ts';
import { recordedRuns } from './record.ts';
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
    const names = [...columns, ...functions.map((name) => csvField(`rewardByFunction.${name}`))];
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

const textOf = (value: number): string => (Number.isNaN(value) ? '' : String(value));

/** @param steps the loss of every step, instead of what the runs came to. @throws UserError of the first run that is damaged */
export async function downloadComparison(c: Context, feeds: readonly RunFeed[], steps: boolean): Promise<Response> {
  const comparison = await compareRecords(await recordedRuns(feeds), { steps });
  const runs = comparison.runs.map((run, at) => ({ ...run, path: (feeds[at] as RunFeed).key }));
  c.header('Content-Type', 'text/csv; charset=utf-8');
  c.header('Content-Disposition', `attachment; filename="${steps ? 'losses' : 'comparison'}.csv"`);
  c.header('Cache-Control', 'no-store');
  return c.body(comparisonCsv({ ...comparison, runs }));
}
