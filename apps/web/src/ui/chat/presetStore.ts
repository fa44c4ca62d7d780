/** System prompt, tools and sampling under a name, kept by this browser. */
import type { ChatSettings } from '@anneal/core/protocol/conversations';
import { useSyncExternalStore } from 'react';
import { createStore } from '../../agent/store.ts';

/** Those that an older page saved have no tools. */
type PresetSettings = Omit<ChatSettings, 'seed' | 'tools'> & Partial<Pick<ChatSettings, 'tools'>>;
export interface SavedPreset {
  name: string;
  settings: PresetSettings;
}

const storageKey = 'anneal-chat-presets';
const none: readonly SavedPreset[] = [];
const store = createStore<readonly SavedPreset[] | undefined>(undefined);

/** By name. */
export function useSavedPresets(): readonly SavedPreset[] {
  return useSyncExternalStore(store.read.subscribe, current, () => none);
}

/** In the place of one of this name. */
export function savePreset(name: string, settings: ChatSettings): void {
  const others = current().filter((preset) => preset.name !== name);
  write([...others, { name, settings: withoutSeed(settings) }].sort((a, b) => (a.name < b.name ? -1 : 1)));
}

export function removePreset(name: string): void {
  write(current().filter((preset) => preset.name !== name));
}

/** The saved one that says just this; undefined for settings that were changed. */
export function savedAs(presets: readonly SavedPreset[], settings: ChatSettings): string | undefined {
  const text = textOf(withoutSeed(settings));
  return presets.find((preset) => textOf(preset.settings) === text)?.name;
}

function write(presets: readonly SavedPreset[]): void {
  localStorage.setItem(storageKey, JSON.stringify(presets));
  store.set(presets);
}

function current(): readonly SavedPreset[] {
  const known = store.read.get();
  if (known) return known;
  const read = parsed(localStorage.getItem(storageKey));
  store.set(read);
  return read;
}

/** What is none of ours is left out: an older page may have written it. */
export function parsed(text: string | null): readonly SavedPreset[] {
  try {
    const found: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(found) ? found.filter(isPreset) : none;
  } catch {
    return none;
  }
}

function isPreset(value: unknown): value is SavedPreset {
  const { name, settings } = (value ?? {}) as Partial<SavedPreset>;
  if (typeof name !== 'string' || typeof settings !== 'object' || settings === null) return false;
  const { system, tools, maxTokens, thinking, ...numbers } = settings;
  return (
    typeof system === 'string' &&
    (tools === undefined || typeof tools === 'string') &&
    typeof maxTokens === 'number' &&
    (thinking === undefined || typeof thinking === 'boolean') &&
    Object.values(numbers).every((number) => number === undefined || typeof number === 'number')
  );
}

function withoutSeed(settings: ChatSettings): PresetSettings {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => key !== 'seed')) as PresetSettings;
}

function textOf(settings: PresetSettings): string {
  return JSON.stringify(
    Object.entries(settings)
      .filter(([, value]) => value !== undefined && value !== '')
      .sort(),
  );
}
