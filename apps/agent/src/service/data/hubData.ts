/** What was pulled of data sets of hubs, as it is listed and looked up. */
import { relative, sep } from 'node:path';
import { defaultCacheDirectory } from '@anneal/core/hub/cache';
import { cachedDatasets, datasetsFolder } from '@anneal/core/hub/datasets/cache';
import type { HubData } from '@anneal/core/protocol/dataView';
import { sizeOf } from '../models/list.ts';

/** By name. Of what is not whole, only that of which something came and which can be gone on with. */
export function listHubData(): HubData[] {
  const all = cachedDatasets(defaultCacheDirectory());
  const found = all.flatMap(({ id, folder, selection, pulled }): HubData[] => {
    const bytes = sizeOf(folder);
    if (!selection || (!pulled && bytes === 0)) return [];
    const { dataFiles: files, ...asked } = selection;
    const from = { source: pulled?.source ?? null, commit: pulled?.revision ?? null, license: pulled?.license ?? null };
    return [{ key: keyOfHubData(folder), id, ...asked, files, isWhole: pulled !== undefined, bytes, ...from }];
  });
  // Where it is whole, parts that an earlier pull has left are nobody's concern.
  const whole = new Set(found.filter(({ isWhole }) => isWhole).map(rowsOf));
  return found.filter((data) => data.isWhole || !whole.has(rowsOf(data))).sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** @param folder of the cache, that a pull has made */
export function keyOfHubData(folder: string): string {
  return relative(datasetsFolder(defaultCacheDirectory()), folder).split(sep).join('/');
}

const rowsOf = ({ id, revision, name, split, files }: HubData) => JSON.stringify([id, revision, name, split, files]);
