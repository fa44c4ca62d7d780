import type { HubData } from '@anneal/core/protocol/dataView';

/** Which rows of which data set, as the jobs of downloads are named. */
export function hubTitle({ id, revision, name, split }: Pick<HubData, 'id' | 'revision' | 'name' | 'split'>): string {
  const rows = [revision, name, split].filter((part) => part !== null).join(', ');
  return rows === '' ? id : `${id} (${rows})`;
}
