import { rm } from 'node:fs/promises';
import { preparedDataFolder } from '@anneal/core/hub/cache';
import type { PreparationProgress } from '@anneal/core/protocol/estimates';
import type { ResolvedRecipe } from '@anneal/core/recipe/resolve';
import { memoryFitOf, memoryOf } from '@anneal/core/trainer/fit';
import { createJob } from '@anneal/core/trainer/job';
import { dateOfRunNow } from '@anneal/core/trainer/runDate';
import { openSession, type Session, type SessionOptions } from '@anneal/core/trainer/session';
import { makeTemporaryFolder } from '@anneal/formats/files/temporaryFolder';
import { reporting } from './reporting.ts';

/** Opens what a run of the recipe would open, data prepared and memory planned, for as long as `use` looks at it. */
export function withSession<T>(
  recipe: ResolvedRecipe,
  use: (session: Session) => Promise<T>,
  {
    now = dateOfRunNow(),
    signal: outer,
    ...options
  }: { now?: Date | undefined; signal?: AbortSignal | undefined } & Pick<SessionOptions, 'atAGlance' | 'goesOn'> = {},
): AsyncGenerator<PreparationProgress, T> {
  return reporting(async (report, signal) => {
    const dataFolder = makeTemporaryFolder('data');
    const onData = (progress: { file: string; rows: number; rowsOfFile: number }) =>
      report({ phase: 'preparing', ...progress });
    try {
      const session = await openSession(createJob(recipe), {
        dataFolder,
        preparedCache: preparedDataFolder(),
        ...options,
        onPlanned: (planned) => report({ phase: 'planned', memory: memoryOf(planned), fit: memoryFitOf(planned) }),
        onData,
        now,
        signal,
      });
      report({ phase: 'prepared' });
      try {
        return await use(session);
      } finally {
        await session.close();
      }
    } finally {
      await rm(dataFolder, { recursive: true, force: true });
    }
  }, outer);
}
