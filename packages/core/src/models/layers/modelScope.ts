import {
  type AdaptedMatrix,
  addBias,
  type ExpertRoutes,
  embedding,
  embeddingNoise,
  expertAddBias,
  type Graph,
  linear,
  type MergedProjection,
  rmsNorm,
  scale,
  scaleColumns,
  softCap,
  type Tensor,
  Variables,
} from '@anneal/kernels';
import {
  type AddLoraOptions,
  addDora,
  addExpertLora,
  addLora,
  addMergedDora,
  addMergedLora,
  mergedAdapters,
  type PlainOutput,
  rowLengths,
} from '../adapters/addLora.ts';
import { outerShape } from '../adapters/embeddings.ts';
import { adaptedHeadName, fullName, type LoraModuleSpec, type LoraSpec, loraVariables } from '../adapters/lora.ts';
import type { ModelConfig } from '../config.ts';
import { givesNoText } from '../scoreHead.ts';
import { stackName } from '../stackName.ts';
import { elementsOf, type HeldMatrix, multiply, multiplyExperts, type ProductOptions } from './heldMatrix.ts';
import { ScopeWeights, type WeightOptions } from './scopeWeights.ts';
import type { Visibility } from './visibility.ts';

/** Logits: x · weightᵀ, under the soft cap, if it is not 0. */
export interface Head {
  /** [T, D] */
  readonly x: Tensor;
  /** [V, D] */
  readonly weight: Tensor;
  readonly softCap: number;
}

/** What an architecture's graph is written against: weights by name, `linear` and `project`, into which adapters and precision hook. */
export class ModelScope {
  readonly graph: Graph;
  readonly config: ModelConfig;
  private readonly options: WeightOptions;
  private readonly weights: ScopeWeights;

  constructor(graph: Graph, config: ModelConfig, options: WeightOptions) {
    this.graph = graph;
    this.config = config;
    this.options = options;
    this.weights = new ScopeWeights(graph, config, options);
  }

  /** A weight by our name. */
  weight(name: string): Tensor {
    return this.weights.get(name);
  }

  /** What is no parameter, whatever is trained. */
  fixed(name: string): Tensor {
    return this.weights.fixed(name);
  }

  get bf16(): boolean {
    return this.options.type === 'bf16';
  }

  /** RMS norm by the weight of this name; heads are normed one by one where it is as long as they are. */
  norm(x: Tensor, name: string): Tensor {
    return rmsNorm(x, this.weight(name), this.config.rmsNormEps, this.config.normOffset);
  }

  /** RMS norm of each head of `size` values, without weights. */
  plainNorm(x: Tensor, size: number): Tensor {
    return rmsNorm(x, this.weights.ones(size), this.config.rmsNormEps);
  }

  /** x [T, N] times the weights [N] of this name, column by column. */
  scaleColumns(x: Tensor, name: string): Tensor {
    const weights = this.weight(name);
    return scaleColumns(x, weights, this.weights.ones(Number(weights.shape[0])));
  }

  /** For what caps logits itself, as losses do. */
  head(hidden_TD: Tensor): Head {
    const { logitScale, logitSoftCap } = this.config;
    const weight_VD = this.adaptedHead()?.into ?? this.headWeight();
    return { x: scale(hidden_TD, logitScale), weight: weight_VD, softCap: logitSoftCap };
  }

  /** Says what a router said of the tokens. */
  tellRouted(logits: Tensor, { experts }: ExpertRoutes): void {
    this.options.onRouter?.({ logits, experts });
  }

  /** Logits [N, V] of these hidden states. */
  logits(hidden_ND: Tensor): Tensor {
    const { logitScale, logitSoftCap } = this.config;
    const x_ND = scale(hidden_ND, logitScale);
    const y_TO = linear(x_ND, this.headWeight(), { bf16: this.bf16 });
    const [logits_NV] = this.withAdapters(x_ND, [{ name: 'lm_head', shape: outerShape(this.config), y_TO }]);
    return softCap(logits_NV as Tensor, logitSoftCap);
  }

  /** The output layer with its adapter, which losses read as one matrix; null where it has none. */
  adaptedHead(): AdaptedMatrix | null {
    const { variables } = this.graph;
    const module = this.options.lora?.modules.get('lm_head');
    if (!module) return null;
    const shape = outerShape(this.config);
    return {
      weight: this.headWeight(),
      a: loraVariables.a(variables, module.rank, 'lm_head', shape),
      b: loraVariables.b(variables, module.rank, 'lm_head', shape),
      scale: module.scale,
      into: variables.get(adaptedHeadName, { shape, dtype: 'f32', kind: 'parameter' }),
    };
  }

  /** What multiplies a hidden state to the score of the text up to it, in float32: [1, D]. */
  scoreWeight(): Tensor {
    return this.weight('score');
  }

  private headWeight(): Tensor {
    if (this.config.scoreHead) throw givesNoText(undefined);
    return this.weight(this.config.tieWordEmbeddings ? 'embed' : 'lm_head');
  }

  /** Embeddings of tokens, and what the adapter adds to them: rows of its A times Bᵀ. Nothing is dropped there, as in PEFT. */
  embed(tokens: Tensor): Tensor {
    const rows_TD = embedding(tokens, this.weight('embed'));
    const module: LoraModuleSpec | undefined = this.options.lora?.modules.get('embed');
    if (!module) return rows_TD;
    const { variables } = this.graph;
    const shape = outerShape(this.config);
    const a_VR = loraVariables.a(variables, module.rank, 'embed', shape);
    const b_DR = loraVariables.b(variables, module.rank, 'embed', shape);
    const { bf16 } = this;
    return linear(embedding(tokens, a_VR), b_DR, {
      alpha: module.scale,
      bf16,
      plus: rows_TD,
      copy: this.weights.copyOf(b_DR),
    });
  }

  /** The embeddings of documents, with noise where the program trains with it. */
  noised(h_TD: Tensor, visible: Visibility): Tensor {
    const { embeddingNoise: noise } = this.options;
    if (!noise) return h_TD;
    if (visible.kind !== 'packed') throw new Error('noise is for training, which has whole documents');
    return embeddingNoise(h_TD, visible.cuSeqlens, noise);
  }

  /** Of the program, as passes tell layers apart. */
  layerNumber(layer: number): number {
    return (this.options.firstLayer ?? 0) + layer;
  }

  /** x · weightᵀ, plus its bias, plus the adapter's share, plus `plus`. */
  linear(x_TI: Tensor, name: string, plus_TO?: Tensor): Tensor {
    this.options.onInput?.(x_TI, [name]);
    if (!this.isDora(name)) return this.withAdapters(x_TI, [this.plain(x_TI, name, plus_TO)])[0] as Tensor;
    return this.withDora(x_TI, name, plus_TO);
  }

  /** The same of several linears that read one input: what their adapters add is computed together. */
  project<const Names extends readonly string[]>(x_TI: Tensor, names: Names): { [K in keyof Names]: Tensor } {
    if (this.options.lora?.dora) {
      return names.map((name) => this.linear(x_TI, name)) as { [K in keyof Names]: Tensor };
    }
    this.options.onInput?.(x_TI, names);
    const outputs = names.map((name) => this.plain(x_TI, name));
    return this.withAdapters(x_TI, outputs) as { [K in keyof Names]: Tensor };
  }

  /**
   * As `project`, with the outputs beside each other in [T, E], by one product, for an op that takes them so. Null where that
   * cannot be: where some weights are held otherwise than the others, only some have biases, or an adapter differs from
   * the others'.
   */
  projectMerged(x_TI: Tensor, names: readonly string[]): MergedProjection | null {
    const { lora } = this.options;
    const { variables } = this.graph;
    const linears = names.map((name) => ({ name, shape: this.weights.shapeOf(name) }));
    const adapters = lora ? mergedAdapters(variables, linears, lora) : [];
    const biasNames = names.map((name) => `${name}_bias`).filter((name) => this.weights.has(name));
    const biases_O = biasNames.map((name) => this.weight(name));
    const [isFull = false, ...mixed] = new Set(biasNames.map((name) => this.weights.isFull(name)));
    if (!adapters || mixed.length > 0 || ![0, names.length].includes(biases_O.length) || !Variables.canStack(biases_O))
      return null;
    const weight_EI = this.weights.stacked(linears);
    if (!weight_EI) return null;
    this.options.onInput?.(x_TI, names);
    const stackOfBiases = `${stackName(names)}_bias`;
    const withBiases = (y_TE: Tensor): Tensor => {
      if (biases_O.length === 0) return y_TE;
      return addBias(y_TE, variables.stack(isFull ? fullName(stackOfBiases) : stackOfBiases, biases_O));
    };
    if (!lora || adapters.length === 0) return { y: withBiases(this.product(x_TI, weight_EI)), added: null };
    if (!lora.dora) return addMergedLora(x_TI, withBiases(this.product(x_TI, weight_EI)), adapters, lora, this.adding);
    const elements_EI = elementsOf(this.graph, weight_EI);
    const product_TE = this.product(x_TI, elements_EI);
    return { y: withBiases(addMergedDora(x_TI, product_TE, elements_EI, adapters, lora, this.adding)), added: null };
  }

  /** x · weight_eᵀ, plus its bias, plus the adapter's share, for the rows of each expert e, which are sorted by expert: [T, C · I] becomes [T, C · O]. */
  expertLinear(x_TCI: Tensor, name: string, routes: ExpertRoutes): Tensor {
    const { lora, onInput } = this.options;
    onInput?.(x_TCI, [name], routes);
    const product_TCO = multiplyExperts(x_TCI, this.weights.held(name), routes.offsets, this.products);
    const bias = `${name}_bias`;
    const y_TCO = this.weights.has(bias) ? expertAddBias(product_TCO, this.weight(bias), routes) : product_TCO;
    return lora
      ? addExpertLora(x_TCI, { name, shape: this.weights.shapeOf(name), y_TO: y_TCO }, routes, lora, this)
      : y_TCO;
  }

  /** How long each row of this linear's weight is with its adapter: [O]. */
  rowLengths(name: string): Tensor {
    const of = { name, shape: this.weights.shapeOf(name) };
    return rowLengths(this.graph, of, this.weights.matrix(name), this.options.lora as LoraSpec);
  }

  private plain(x_TI: Tensor, name: string, plus_TO?: Tensor): PlainOutput {
    const product_TO = this.product(x_TI, this.weights.held(name), plus_TO);
    return { name, shape: this.weights.shapeOf(name), y_TO: this.withBias(product_TO, name) };
  }

  private product(x_TI: Tensor, held_OI: HeldMatrix, plus_TO?: Tensor): Tensor {
    return multiply(x_TI, held_OI, {
      ...this.products,
      plus: plus_TO,
      copyOf: (weight) => this.weights.copyOf(weight),
    });
  }

  private get products(): ProductOptions {
    return { bf16: this.bf16, fewRows: this.options.fewRows === true };
  }

  private withBias(y_TO: Tensor, name: string): Tensor {
    const bias = `${name}_bias`;
    return this.weights.has(bias) ? addBias(y_TO, this.weight(bias)) : y_TO;
  }

  private isDora(name: string): boolean {
    const { lora } = this.options;
    return lora?.dora === true && lora.modules.has(name);
  }

  /** x · Wᵀ with its adapter and magnitude, then the bias, which they do not change, and `plus_TO`. */
  private withDora(x_TI: Tensor, name: string, plus_TO?: Tensor): Tensor {
    const weight_OI = this.weights.matrix(name);
    const y_TO = linear(x_TI, weight_OI, { bf16: this.bf16, copy: this.weights.copyOf(weight_OI) });
    const plain = { name, shape: this.weights.shapeOf(name), y_TO };
    return this.withBias(
      addDora(x_TI, plain, weight_OI, this.options.lora as LoraSpec, { ...this.adding, plus_TO }),
      name,
    );
  }

  private withAdapters(x_TI: Tensor, outputs: readonly PlainOutput[]): Tensor[] {
    const { lora } = this.options;
    return lora ? addLora(x_TI, outputs, lora, this.adding) : outputs.map(({ y_TO }) => y_TO);
  }

  private get adding(): AddLoraOptions {
    const { dropoutSeed } = this.options;
    return { bf16: this.bf16, dropoutSeed, copyOf: (parameter) => this.weights.copyOf(parameter) };
  }
}
