import { UserError } from '../errors.ts';
import type { EndpointOptions } from './options.ts';

/** Variable in which an agent gives a run the addresses that its judges may be asked at. */
export const LENT_KEYS = 'ANNEAL_ENDPOINT_KEYS';

/** By address, the key that goes there. */
export type LentKeys = Readonly<Record<string, string | null>>;

/**
 * The key in the variable that a recipe names for its endpoint. In a run that an agent has launched, that which it lent.
 * @throws UserError `api_key_missing`, `endpoint_not_lent`
 */
export function apiKeyOf({ url, apiKeyVariable: variable }: EndpointOptions): string | null {
  const lent = process.env[LENT_KEYS];
  if (lent !== undefined) return lentKeyOf({ url, apiKeyVariable: variable }, JSON.parse(lent) as LentKeys);
  if (variable === null) return null;
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

/** The agent has looked at the recipe as it lay there; this is the one that is followed. */
function lentKeyOf({ url, apiKeyVariable }: Pick<EndpointOptions, 'url' | 'apiKeyVariable'>, lent: LentKeys) {
  if (apiKeyVariable === null && Object.hasOwn(lent, url)) return lent[url] as string | null;
  throw new UserError({
    what: 'the recipe of this run names another address or a variable than the agent saw when it launched it',
    where: `trl.reward_funcs: ${url}`,
    next: 'launch the run again, so that the agent looks at its recipe anew',
    code: 'endpoint_not_lent',
  });
}
