import type { Tensor } from '@anneal/kernels';

/** What the tokens of a call attend to: each other within documents, or everything in a cache. */
export type Visibility =
  | { readonly kind: 'packed'; readonly cuSeqlens: Tensor }
  | {
      readonly kind: 'cached';
      readonly positions: Tensor;
      /** i32[N,4], where several sequences share the cache: as `attentionCached` takes them. */
      readonly sequences: Tensor | undefined;
      readonly cacheOf: (layer: number) => { keys: Tensor; values: Tensor };
      /** i32[N,3], where several sequences have states: as `placesOfStates` says. */
      readonly slots: Tensor | undefined;
      /** float32 that a layer carries from token to token, of this shape for a sequence: those of all slots. */
      readonly stateOf: (layer: number, name: string, shape: readonly [number, number]) => Tensor;
    };
