import { rm } from 'node:fs/promises';
import type { PrepareProgress } from '@anneal/core/datasets/prepareData';
import type { ResolvedRecipe } from '@anneal/core/recipe/resolve';
import { createJob } from '@anneal/core/trainer/job';
import { openSession, type Session, type SessionOptions } from '@anneal/core/trainer/session';
import { makeTemporaryFolder } from '@anneal/formats/files/temporaryFolder';
import { ProgressLine } from '../terminal/progressLine.ts';
import { formatCount } from '../terminal/units.ts';

/** Opens what a run of the recipe would open, data prepared and memory planned, for as long as `use` looks at it. */
export async function withSession<T>(
  recipe: ResolvedRecipe,
  use: (session: Session) => Promise<T>,
  { now }: Pick<SessionOptions, 'now'> = {},
): Promise<T> {
  const dataFolder = makeTemporaryFolder('data');
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  const onData = ({ file, rows, rowsOfFile }: PrepareProgress) =>
    line?.show(`${file}: ${formatCount(rows)} of ${formatCount(rowsOfFile)} rows`);
  try {
    const session = await openSession(createJob(recipe), { dataFolder, onData, now });
    line?.clear();
    try {
      return await use(session);
    } finally {
      await session.close();
    }
  } finally {
    line?.clear();
    await rm(dataFolder, { recursive: true, force: true });
  }
}
