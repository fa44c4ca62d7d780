/** How somebody who edits a recipe appears to others: as they call themselves in this browser. */
import { createStore } from '../../../agent/store.ts';

export interface Person {
  name: string;
  /** An index of `personColors`. */
  color: number;
}

export const mostNameCharacters = 40;

/** Told apart by people who see fewer colors by the names beside them. Each reads on white letters. */
const personColors = ['#b3501e', '#0b7285', '#7048c8', '#2b7a3d', '#b02a57', '#8a6100', '#1f5fbf', '#5c5f66'] as const;

const storageKey = 'anneal-person';
const store = createStore<Person | undefined>(undefined);
export const myself = store.read;

/** As chosen before in this browser, else as the agent knows them. */
export function introduce(name: string): void {
  if (store.read.get()) return;
  store.set(remembered() ?? { name, color: random(personColors.length) });
}

export function callMe(name: string): void {
  const color = store.read.get()?.color ?? 0;
  const person = { name: name.trim().slice(0, mostNameCharacters), color };
  if (person.name === '') return;
  localStorage.setItem(storageKey, JSON.stringify(person));
  store.set(person);
}

export function colorOf(person: Person): string {
  return personColors[person.color % personColors.length] ?? personColors[0];
}

function remembered(): Person | undefined {
  try {
    const { name, color } = JSON.parse(localStorage.getItem(storageKey) ?? 'null') ?? {};
    return typeof name === 'string' && Number.isInteger(color) ? { name, color } : undefined;
  } catch {
    return undefined;
  }
}

const random = (below: number): number => Math.floor(Math.random() * below);
