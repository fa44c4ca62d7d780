/** A download that another page asks for: what is to be written in the form, for whoever reads it to send. */
import type { PullRequest } from '@anneal/core/protocol/models';
import { parseAsString } from 'nuqs';

export const pullKeys = {
  pull: parseAsString,
  revision: parseAsString,
  name: parseAsString,
  split: parseAsString,
  files: parseAsString,
};

export function pullAddress({ model, revision, data }: PullRequest): string {
  const asked = { pull: model, revision, name: data?.name, split: data?.split, files: data?.files?.join(', ') };
  const query = new URLSearchParams(Object.entries(asked).flatMap(([key, value]) => (value ? [[key, value]] : [])));
  return `${data ? '/data' : '/models'}?${query}`;
}
