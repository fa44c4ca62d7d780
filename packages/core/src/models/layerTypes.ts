import type { Fields } from './fields.ts';

/**
 * The window of Qwen2 and Qwen3: off unless `use_sliding_window`, then on the layers that `layer_types` names, or
 * without it on those from `max_window_layers` up.
 */
export function readLayerWindows(fields: Fields, layerCount: number): (number | null)[] {
  const window = readWindow(fields);
  const firstSliding = fields.count('max_window_layers', 28, undefined, 0);
  return layerTypes(fields, layerCount, (layer) => window !== null && layer >= firstSliding).map((type) => {
    if (type === 'full_attention') return null;
    if (window === null)
      throw fields.wrong('use_sliding_window', 'true, with a sliding_window, where layer_types has sliding_attention');
    return window;
  });
}

/** Null where there is none. */
export function readWindow(fields: Fields): number | null {
  if (!fields.boolean('use_sliding_window', false) || fields.raw('sliding_window') === null) return null;
  return fields.count('sliding_window', 4096);
}

/** The window of models in which layers with and without one alternate: every `period`th layer has none. */
export function readAlternatingWindows(fields: Fields, layerCount: number, period: number): (number | null)[] {
  const window = fields.count('sliding_window');
  const types = layerTypes(fields, layerCount, (layer) => (layer + 1) % period !== 0);
  return types.map((type) => (type === 'full_attention' ? null : window));
}

/** `layer_types`, or, where the file has none, by what the architecture does. */
export function layerTypes(
  fields: Fields,
  layerCount: number,
  slides: (layer: number) => boolean,
): ('full_attention' | 'sliding_attention')[] {
  const types =
    fields.strings('layer_types') ??
    Array.from({ length: layerCount }, (_, layer) => (slides(layer) ? 'sliding_attention' : 'full_attention'));
  if (types.length !== layerCount) throw fields.wrong('layer_types', `a list of ${layerCount} entries, one per layer`);
  return types.map((type) => {
    if (type === 'full_attention' || type === 'sliding_attention') return type;
    throw fields.unsupported(
      `layer type ${type} is not implemented`,
      'use another model, or add what is missing (docs/add-a-model.md)',
    );
  });
}
