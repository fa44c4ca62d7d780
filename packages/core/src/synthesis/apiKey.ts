import { UserError } from '../errors.ts';
import type { EndpointOptions } from './options.ts';

/** Variable in which an agent gives a run the keys of its judges, by their addresses. */
export const LENT_KEYS = 'ANNEAL_ENDPOINT_KEYS';

/** The key in the variable that a recipe names for its endpoint, or what an agent has lent for it. @throws UserError `api_key_missing` */
export function apiKeyOf({ url, apiKeyVariable: variable }: EndpointOptions): string | null {
  if (variable === null) return (JSON.parse(process.env[LENT_KEYS] ?? '{}') as Record<string, string>)[url] ?? null;
  const key = process.env[variable]?.trim();
  if (key && /^[\x21-\x7e]+$/.test(key)) return key;
  throw new UserError({
    what: key
      ? `the variable ${variable} holds no API key: a key has no blanks`
      : `the variable ${variable} is not set`,
    where: 'api_key_env',
    next: `set it for this command (read -rs ${variable}; export ${variable}), or remove api_key_env if no key is needed`,
    code: 'api_key_missing',
  });
}
