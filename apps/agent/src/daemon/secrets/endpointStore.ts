/**
 * The endpoints that this agent may ask for rows. Each key is sealed together with the address that it is for: whoever changes the
 * address in the file has no key for it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type ListedEndpoint, type SetEndpointRequest, setEndpointRequest } from '@anneal/core/protocol/endpoints';
import { addressFault, withoutSlash } from '@anneal/core/recipe/synthesis/address';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { z } from 'zod';
import type { AllowedEndpoint } from '../../service/context.ts';
import { parseRequest } from '../../service/parseRequest.ts';
import { underLock } from '../../service/underLock.ts';
import { damaged, endingOf, Sealing } from './sealing.ts';

const mostEndpoints = 100;

const keptSchema = z.object({
  version: z.literal(1),
  endpoints: z.array(
    z.object({
      name: z.string(),
      url: z.string(),
      sealed: z.string().nullable(),
      ending: z.string().nullable(),
      set: z.string(),
      by: z.string().nullable(),
    }),
  ),
});
type Kept = z.infer<typeof keptSchema>['endpoints'];

export class EndpointStore {
  readonly #path: string;
  readonly #sealing: Sealing;

  /** @param folder of the agent's own state */
  constructor(folder: string) {
    this.#path = join(folder, 'endpoints.json');
    this.#sealing = new Sealing(folder);
  }

  /** By name. @throws UserError `secrets_damaged` */
  list(): ListedEndpoint[] {
    return this.#read().map(({ name, url, ending, set, by }) => ({ name, url, ending, set, by }));
  }

  /** Replaces the one of this name. @param by null on the command line @throws UserError `bad_request`, `endpoint_address`, `endpoint_taken` */
  async set(request: SetEndpointRequest, by: string | null): Promise<void> {
    const { name, url: written, secret } = parseRequest(setEndpointRequest, request);
    const url = withoutSlash(written);
    await this.#change((kept) => {
      const before = kept.find((one) => one.name === name && one.url === url);
      const sealed =
        secret === undefined ? (before?.sealed ?? null) : secret && this.#sealing.seal(secret, purpose(url));
      const ending = secret === undefined ? (before?.ending ?? null) : secret && endingOf(secret);
      const fault = addressFault(url, sealed !== null);
      if (fault) throw new UserError({ ...fault, where: url, code: 'endpoint_address' });
      const others = kept.filter((one) => one.name !== name);
      const same = others.find((one) => one.url === url);
      if (same) {
        throw new UserError({
          what: `this is the address of ${same.name}`,
          where: url,
          next: 'change that one, or remove it first',
          code: 'endpoint_taken',
        });
      }
      if (others.length >= mostEndpoints) {
        throw new UserError({
          what: `there are ${mostEndpoints} endpoints already`,
          where: name,
          next: 'remove one that nobody asks',
          code: 'too_many_endpoints',
        });
      }
      const set = new Date().toISOString();
      return [...others, { name, url, sealed, ending, set, by }].sort((a, b) => (a.name < b.name ? -1 : 1));
    });
  }

  /** @throws UserError `endpoint_not_found` */
  remove(name: string): Promise<void> {
    return this.#change((kept) => {
      const others = kept.filter((one) => one.name !== name);
      if (others.length < kept.length) return others;
      throw new UserError({
        what: 'there is no endpoint of this name',
        where: name,
        next: 'see which there are with `anneal endpoints list`',
        code: 'endpoint_not_found',
      });
    });
  }

  /** To be asked. @throws UserError `secrets_damaged` */
  open(): AllowedEndpoint[] {
    return this.#read().map(({ name, url, sealed }) => ({
      name,
      url,
      apiKey: sealed === null ? null : this.#sealing.unseal(sealed, purpose(url), this.#path),
    }));
  }

  #read(): Kept {
    if (!existsSync(this.#path)) return [];
    const kept = keptSchema.safeParse(jsonOf(readFileSync(this.#path, 'utf8')));
    if (kept.success) return kept.data.endpoints;
    throw damaged(this.#path, 'the file of endpoints cannot be read');
  }

  #change(change: (kept: Kept) => Kept): Promise<void> {
    return underLock(this.#path, () => {
      const kept = { version: 1, endpoints: change(this.#read()) };
      replaceFile(this.#path, `${JSON.stringify(kept, null, 2)}\n`, { sync: true, mode: 0o600 });
    });
  }
}

const purpose = (url: string): string => `endpoint ${url}`;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
