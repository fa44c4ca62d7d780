import type { StorageRequest } from '@anneal/core/protocol/storage';
import { uploadsFolder } from './data/uploads.ts';
import type { Workspace } from './workspace.ts';

/** Where of a workspace something takes room. */
export function storagePlaces(workspace: Workspace): StorageRequest {
  return {
    runsFolders: workspace.runsFolders(),
    files: workspace.dataFiles().map(({ path, key }) => ({ path, name: key })),
    uploads: uploadsFolder(workspace.root),
  };
}
