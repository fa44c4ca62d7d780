import type { CleanedStorage, StorageSurvey } from '@anneal/core/protocol/storage';
import { storagePlaces } from '../daemon/storagePlaces.ts';
import { Workspace } from '../daemon/workspace.ts';
import { finish } from '../service/finish.ts';
import { cleanStorage } from '../service/storage/clean.ts';
import { surveyStorage } from '../service/storage/survey.ts';

export function surveyStorageOf(folder: string): Promise<StorageSurvey> {
  return finish(surveyStorage({}, storagePlaces(new Workspace(folder))));
}

export function cleanStorageOf(folder: string, items: readonly string[]): Promise<CleanedStorage> {
  return finish(cleanStorage({}, { ...storagePlaces(new Workspace(folder)), items }));
}
