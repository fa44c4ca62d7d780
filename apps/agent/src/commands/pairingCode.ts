import { UserError } from '@anneal/core/errors';
import type { PairingCode } from '@anneal/core/protocol/people';
import type { Role } from '@anneal/core/protocol/roles';
import type { People } from '../daemon/auth/people.ts';

/** For the owner of the agent; for somebody by name, who is added where they are not known. */
export async function codeOf(
  people: People,
  { name, role }: { name?: string | undefined; role?: Role | undefined },
): Promise<PairingCode> {
  if (name === undefined) {
    if (role === undefined) return people.ownerCode();
    throw new UserError({
      what: '--role is given without --name',
      next: 'say who is to have this role: --name <name>',
      code: 'options_conflict',
    });
  }
  const known = people.list().find((person) => person.name.toLowerCase() === name.toLowerCase());
  if (known && role !== undefined && role !== known.role) {
    throw new UserError({
      what: `${known.name} is known already, as ${known.role}`,
      next: 'leave --role out for another link; an admin changes roles in the settings of the studio',
      code: 'role_taken',
    });
  }
  return known ? people.codeFor(known.id, 'later') : (await people.invite(name, role ?? 'viewer')).code;
}
