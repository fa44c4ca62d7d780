import type { CleanedStorage, StorageSurvey } from '@anneal/core/protocol/storage';
import { uploadsFolder } from '../daemon/data/uploads.ts';
import { Workspace } from '../daemon/workspace.ts';
import { finish } from '../service/finish.ts';
import { cleanStorage } from '../service/storage/clean.ts';
import { surveyStorage } from '../service/storage/survey.ts';

export function surveyStorageOf(folder: string): Promise<StorageSurvey> {
  return finish(surveyStorage({}, placesOf(folder)));
}

export function cleanStorageOf(folder: string, items: readonly string[]): Promise<CleanedStorage> {
  return finish(cleanStorage({}, { ...placesOf(folder), items }));
}

function placesOf(folder: string) {
  const workspace = new Workspace(folder);
  return { runsFolders: workspace.runsFolders(), uploads: uploadsFolder(workspace.root) };
}
