import type { Nf4Form } from '@anneal/formats/bitsandbytes/nf4';
import {
  type EmbeddingNoise,
  type ExpertRoutes,
  type Graph,
  type RoutedTokens,
  type Tensor,
  Variables,
} from '@anneal/kernels';
import type { Linear } from '../adapters/addLora.ts';
import { fullName, type LoraSpec } from '../adapters/lora.ts';
import type { ModelConfig } from '../config.ts';
import { nf4Stack, nf4Weight } from '../nf4.ts';
import { stackName } from '../stackName.ts';
import { expectedTensors } from '../tensors.ts';
import { elementsOf, type HeldMatrix } from './heldMatrix.ts';

/** Weights where there are none. */
export const onesName = (size: number): string => `ones.${size}`;

/** How a model's weights take part in a program: what an architecture's graph must not know. */
export interface WeightOptions {
  /** Type of the frozen weights of linears and embeddings; with bf16, products are formed in bf16 and summed in float32. */
  readonly type: 'f32' | 'bf16';
  /** Linears that are held in NF4, by our names. */
  readonly nf4: ReadonlyMap<string, Nf4Form>;
  /** Full fine-tuning: the model's own weights are parameters, kept in float32. */
  readonly trainable: boolean;
  readonly lora: LoraSpec | null;
  /** Products read copies of the trained matrices in bfloat16, which the caller keeps up to date. */
  readonly copies: boolean;
  /** i32[2], in training programs whose adapter has dropout. */
  readonly dropoutSeed: Tensor | null;
  /** What is added to the embeddings of packed documents, in training programs. */
  readonly embeddingNoise?: EmbeddingNoise | null;
  /** Most calls read a row or a few, and nothing is differentiated: products read weights in NF4 as they are held. */
  readonly fewRows?: boolean;
  /** Is told what linears read while the graph is built; of experts with their routes. */
  readonly onInput?: (x: Tensor, linears: readonly string[], routes?: ExpertRoutes) => void;
  /** Is told what routers of experts say while the graph is built, layer by layer. */
  readonly onRouter?: ((routed: RoutedTokens) => void) | undefined;
  /** Number of the first layer, where a program goes through the model more than once; 0 where nothing is said. */
  readonly firstLayer?: number;
}

/** A model's weights by our names, as variables of a graph, in the form that they are held in. */
export class ScopeWeights {
  readonly #graph: Graph;
  readonly #options: WeightOptions;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;

  constructor(graph: Graph, config: ModelConfig, options: WeightOptions) {
    this.#graph = graph;
    this.#options = options;
    this.#shapes = expectedTensors(config);
  }

  /** A weight by our name. What is no matrix (norms, biases, kernels of convolutions) is float32 always. */
  get(name: string): Tensor {
    const shape = this.shapeOf(name);
    const { type, trainable } = this.#options;
    if (this.isFull(name)) {
      return this.#graph.variables.get(fullName(name), { shape, dtype: 'f32', kind: 'parameter' });
    }
    const dtype = trainable || shape.length !== 2 || name === 'score' ? 'f32' : type;
    return this.#graph.variables.get(name, { shape, dtype, kind: trainable ? 'parameter' : 'weight' });
  }

  /** What is no parameter, whatever is trained. */
  fixed(name: string): Tensor {
    return this.#graph.variables.get(name, { shape: this.shapeOf(name), dtype: 'f32', kind: 'weight' });
  }

  has(name: string): boolean {
    return this.#shapes.has(name);
  }

  /** [size], the weights of what is normed without any. */
  ones(size: number): Tensor {
    return this.#graph.variables.get(onesName(size), { shape: [size], dtype: 'f32', kind: 'state' });
  }

  /** The rows of these weights as one matrix; null where they cannot lie beside each other. */
  stacked(linears: readonly Linear[]): HeldMatrix | null {
    const names = linears.map(({ name }) => name);
    const [form, ...others] = new Set(names.map((name) => this.#options.nf4.get(name)));
    if (others.length > 0) return null;
    if (form) return nf4Stack(this.#graph.variables, linears, form);
    const weights_OI = names.map((name) => this.get(name));
    return Variables.canStack(weights_OI) ? this.#graph.variables.stack(stackName(names), weights_OI) : null;
  }

  /** Whether it is trained in full beside an adapter. */
  isFull(name: string): boolean {
    const { lora } = this.#options;
    return lora?.full.has(name) === true || (name === 'embed' && (lora?.tokens.length ?? 0) > 0);
  }

  shapeOf(name: string): readonly number[] {
    const shape = this.#shapes.get(name);
    if (!shape) throw new Error(`this architecture has no tensor ${name}`);
    return shape;
  }

  /** A linear's weight in the form that it is held in. */
  held(name: string): HeldMatrix {
    const form = this.#options.nf4.get(name);
    return form ? nf4Weight(this.#graph.variables, { name, shape: this.shapeOf(name) }, form) : this.get(name);
  }

  /** A linear's weight as its elements. */
  matrix(name: string): Tensor {
    return elementsOf(this.#graph, this.held(name));
  }

  /** What products read of a trained matrix in its place, where there are copies. */
  copyOf(weight: Tensor): Tensor | undefined {
    return this.#options.copies && weight.kind === 'parameter' ? this.#graph.variables.copyOf(weight) : undefined;
  }
}
