/** What takes room on the disk, and giving it back. */
import { dirname, join } from 'node:path';
import {
  type CleanedStorage,
  cleanStorageRequest,
  type StorageItem,
  type StudioStorageItem,
} from '@anneal/core/protocol/storage';
import { runApart } from '../../runner/runApart.ts';
import { finish } from '../../service/finish.ts';
import { askApart } from '../askApart.ts';
import { storagePlaces } from '../storagePlaces.ts';
import { nothing, procedure, router } from './trpc.ts';

export const storage = router({
  survey: procedure
    .input(nothing)
    .query(async ({ ctx, signal }): Promise<{ items: StudioStorageItem[]; free: number }> => {
      const { workspace } = ctx.agent;
      const { items, free } = await finish(askApart('surveyStorage', {}, storagePlaces(workspace), signal));
      const restores = ({ kind, id, name }: StorageItem) =>
        kind === 'trash' ? workspace.keyOf(join(dirname(dirname(id.slice(kind.length + 1))), name)) : null;
      return { items: items.map((item) => ({ ...item, restores: restores(item) })), free };
    }),

  clean: procedure
    .input(cleanStorageRequest.pick({ items: true }))
    .mutation(
      ({ ctx, input }): Promise<CleanedStorage> =>
        finish(runApart('cleanStorage', {}, { ...storagePlaces(ctx.agent.workspace), items: input.items })),
    ),
});
