/** The people of an agent, their roles, and the codes by which they pair their browsers. */
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import { UserError } from '@anneal/core/errors';
import type { ListedPerson, PairedBrowser, PairingCode, Person } from '@anneal/core/protocol/people';
import type { Role } from '@anneal/core/protocol/roles';
import type { AccessFile, Kept } from './accessFile.ts';
import { hashOf, newCode } from './secrets.ts';

/** For somebody who sits at the machine, or at a browser that is paired. */
const codeLifeMilliseconds = 15 * 60_000;
/** For somebody who reads it later. */
const invitationLifeMilliseconds = 3 * 24 * 3600_000;
const mostPeople = 200;
/** Codes that are out for one person. */
const mostCodes = 5;

export class People {
  readonly #file: AccessFile;

  constructor(file: AccessFile) {
    this.#file = file;
  }

  list(): ListedPerson[] {
    const { people, codes, sessions } = this.#file.read();
    return people.map((person) => {
      const invitations = codes.filter((code) => code.person === person.id).map(({ until }) => until);
      return {
        ...person,
        browsers: sessions.filter((session) => session.person === person.id).length,
        invited: invitations.length > 0 ? new Date(Math.max(...invitations)).toISOString() : null,
      };
    });
  }

  /** A code for the one who runs the agent: its first admin, who is made where there is none. */
  ownerCode(): Promise<PairingCode> {
    return this.#file.change((kept) => {
      let owner = kept.people.find(({ role }) => role === 'admin');
      if (!owner) {
        owner = newPerson(freeName(kept, userName()), 'admin');
        kept.people.push(owner);
      }
      return addCode(kept, owner.id, codeLifeMilliseconds);
    });
  }

  /** @throws UserError `name_taken`, `too_many_people` */
  invite(name: string, role: Role): Promise<{ person: Person; code: PairingCode }> {
    return this.#file.change((kept) => {
      if (kept.people.some((person) => isSameName(person.name, name))) throw nameTaken(name);
      if (kept.people.length >= mostPeople) throw tooMany();
      const person = newPerson(name, role);
      kept.people.push(person);
      return { person, code: addCode(kept, person.id, invitationLifeMilliseconds) };
    });
  }

  /** A code for one more browser of theirs, for now or as an invitation. @throws UserError `person_not_found` */
  codeFor(id: string, when: 'now' | 'later'): Promise<PairingCode> {
    const life = when === 'now' ? codeLifeMilliseconds : invitationLifeMilliseconds;
    return this.#file.change((kept) => addCode(kept, personIn(kept, id).id, life));
  }

  /** @throws UserError `person_not_found`, `last_admin` */
  setRole(id: string, role: Role): Promise<void> {
    return this.#file.change((kept) => {
      const person = personIn(kept, id);
      if (role !== 'admin') refuseLastAdmin(kept, person);
      person.role = role;
    });
  }

  /** @throws UserError `person_not_found`, `name_taken` */
  rename(id: string, name: string): Promise<void> {
    return this.#file.change((kept) => {
      const person = personIn(kept, id);
      if (kept.people.some((other) => other !== person && isSameName(other.name, name))) throw nameTaken(name);
      person.name = name;
    });
  }

  /** With their browsers and invitations. @throws UserError `person_not_found`, `last_admin` */
  remove(id: string): Promise<void> {
    return this.#file.change((kept) => {
      const person = personIn(kept, id);
      refuseLastAdmin(kept, person);
      const isOthers = (entry: { person: string }) => entry.person !== id;
      kept.people = kept.people.filter((other) => other !== person);
      kept.codes = kept.codes.filter(isOthers);
      kept.sessions = kept.sessions.filter(isOthers);
    });
  }

  /** Newest first. @param token of the session that asks */
  browsersOf(id: string, token: string | undefined): PairedBrowser[] {
    const asking = token === undefined ? undefined : hashOf(token);
    return this.#file
      .read()
      .sessions.filter((session) => session.person === id)
      .sort((a, b) => b.created - a.created)
      .map(({ hash, browser, created, until }) => ({
        id: hash.slice(0, 12),
        browser,
        created: new Date(created).toISOString(),
        until: new Date(until).toISOString(),
        isThis: hash === asking,
      }));
  }

  /** Ends those sessions of a person that `which` names; all but the asking one where it is left out. */
  endBrowsers(id: string, token: string | undefined, which?: string): Promise<void> {
    const asking = token === undefined ? undefined : hashOf(token);
    return this.#file.change((kept) => {
      kept.sessions = kept.sessions.filter(({ person, hash }) => {
        if (person !== id) return true;
        return which === undefined ? hash === asking : !hash.startsWith(which);
      });
    });
  }
}

function addCode(kept: Kept, person: string, life: number): PairingCode {
  const code = newCode();
  const until = Date.now() + life;
  const others = kept.codes.filter((known) => known.person === person).sort((a, b) => b.until - a.until);
  const tooOld = new Set(others.slice(mostCodes - 1));
  kept.codes = [...kept.codes.filter((known) => !tooOld.has(known)), { hash: hashOf(code), until, person }];
  return { code, until: new Date(until).toISOString() };
}

function newPerson(name: string, role: Role): Person {
  return { id: randomBytes(6).toString('hex'), name, role, created: new Date().toISOString() };
}

function personIn(kept: Kept, id: string): Person {
  const person = kept.people.find((known) => known.id === id);
  if (person) return person;
  throw new UserError({
    what: 'there is no such person',
    where: id,
    next: 'they may have been removed: look at the list of people',
    code: 'person_not_found',
  });
}

function refuseLastAdmin(kept: Kept, person: Person): void {
  if (person.role !== 'admin' || kept.people.some((other) => other !== person && other.role === 'admin')) return;
  throw new UserError({
    what: 'this is the only admin, and somebody has to be one',
    where: person.name,
    next: 'make somebody else an admin first',
    code: 'last_admin',
  });
}

function nameTaken(name: string): UserError {
  return new UserError({
    what: 'somebody has this name already',
    where: name,
    next: 'choose another one, so that people can be told apart',
    code: 'name_taken',
  });
}

function tooMany(): UserError {
  return new UserError({
    what: `there are ${mostPeople} people already`,
    next: 'remove those who do not come any more',
    code: 'too_many_people',
  });
}

const isSameName = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();

function freeName(kept: Kept, wanted: string): string {
  let name = wanted;
  for (let number = 2; kept.people.some((person) => isSameName(person.name, name)); number++)
    name = `${wanted} ${number}`;
  return name;
}

/** Containers may run as a user that has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'admin';
  }
}
