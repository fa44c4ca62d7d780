/** What takes room on the disk, and giving it back. */
import { type CleanedStorage, cleanStorageRequest, type StorageSurvey } from '@anneal/core/protocol/storage';
import { runApart } from '../../runner/runApart.ts';
import { finish } from '../../service/finish.ts';
import { uploadsFolder } from '../data/uploads.ts';
import type { Workspace } from '../workspace.ts';
import { procedure, router } from './trpc.ts';

export const storage = router({
  survey: procedure.query(
    ({ ctx, signal }): Promise<StorageSurvey> =>
      finish(runApart('surveyStorage', {}, placesOf(ctx.agent.workspace), signal)),
  ),

  clean: procedure
    .input(cleanStorageRequest.pick({ items: true }))
    .mutation(
      ({ ctx, input }): Promise<CleanedStorage> =>
        finish(runApart('cleanStorage', {}, { ...placesOf(ctx.agent.workspace), items: input.items })),
    ),
});

function placesOf(workspace: Workspace) {
  return { runsFolders: workspace.runsFolders(), uploads: uploadsFolder(workspace.root) };
}
