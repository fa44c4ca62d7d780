/** What an agent keeps of its people: a file that only this user can read, which the command line changes as well. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { personSchema } from '@anneal/core/protocol/people';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { z } from 'zod';
import { underLock } from '../../service/underLock.ts';

/** Times are milliseconds since 1970. Of codes and sessions only hashes are kept. */
const accessSchema = z.object({
  people: z.array(personSchema).default([]),
  /** Each pairs one browser of a person. */
  codes: z.array(z.object({ hash: z.string(), until: z.number(), person: z.string().default('') })),
  sessions: z.array(
    z.object({
      hash: z.string(),
      until: z.number(),
      person: z.string().default(''),
      browser: z.string().default(''),
      created: z.number().default(0),
    }),
  ),
});
export type Kept = z.infer<typeof accessSchema>;

export class AccessFile {
  readonly #path: string;
  #seen: { stamp: string; kept: Kept } | undefined;

  /** @param folder of the agent's own state */
  constructor(folder: string) {
    this.#path = join(folder, 'access.json');
  }

  /** What still holds. @throws UserError `access_file_damaged` */
  read(): Kept {
    const status = statSync(this.#path, { throwIfNoEntry: false, bigint: true });
    if (!status) return { people: [], codes: [], sessions: [] };
    const stamp = `${status.ino} ${status.mtimeNs} ${status.size}`;
    if (this.#seen?.stamp !== stamp) this.#seen = { stamp, kept: this.#parse() };
    const { people, codes, sessions } = this.#seen.kept;
    const now = Date.now();
    const known = new Set(people.map(({ id }) => id));
    const holds = ({ until, person }: { until: number; person: string }) => until > now && known.has(person);
    return { people: [...people], codes: codes.filter(holds), sessions: sessions.filter(holds) };
  }

  /** Writes what `change` makes of it, and returns what `change` returns. */
  change<T>(change: (kept: Kept) => T): Promise<T> {
    return underLock(this.#path, () => {
      const kept = this.read();
      const result = change(kept);
      replaceFile(this.#path, `${JSON.stringify(kept, null, 2)}\n`, { sync: true });
      return result;
    });
  }

  #parse(): Kept {
    const kept = accessSchema.safeParse(jsonOf(readFileSync(this.#path, 'utf8')));
    if (kept.success) return kept.data;
    throw new UserError({
      what: 'the list of people and paired browsers is damaged',
      where: this.#path,
      next: 'delete the file, then pair the browsers again',
      code: 'access_file_damaged',
    });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
