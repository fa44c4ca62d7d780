import {
  dequantizeNf4,
  expertLinear,
  expertLinearNf4,
  type Graph,
  graphOf,
  linear,
  linearNf4,
  type Nf4Weight,
  type Tensor,
} from '@anneal/kernels';

/** A matrix [O, I] as a tensor of its elements, or in NF4. */
export type HeldMatrix = Tensor | Nf4Weight;

export interface ProductOptions {
  /** Rounds both operands of every product to bf16. */
  readonly bf16: boolean;
  /** What is in NF4 is read as it is: for few rows, where nothing is differentiated. Otherwise it is decoded first, or see multiplyExperts. */
  readonly fewRows: boolean;
}

export function elementsOf(graph: Graph, held: HeldMatrix): Tensor {
  return 'codes' in held ? dequantizeNf4(graph, held) : held;
}

/** x · weightᵀ (+ plus). @param copyOf the copy in bfloat16 that products read instead of a trained matrix */
export function multiply(
  x_TI: Tensor,
  held_OI: HeldMatrix,
  options: ProductOptions & {
    readonly plus?: Tensor | undefined;
    readonly copyOf: (weight: Tensor) => Tensor | undefined;
  },
): Tensor {
  const { bf16, fewRows, plus, copyOf } = options;
  if (fewRows && 'codes' in held_OI) return linearNf4(x_TI, held_OI, { bf16, plus });
  const weight_OI = elementsOf(graphOf(x_TI), held_OI);
  return linear(x_TI, weight_OI, { bf16, plus, copy: copyOf(weight_OI) });
}

/**
 * x · weight_eᵀ for the rows of each expert e; the matrix is those of all experts one behind the other. In NF4 it is read as it is for any number
 * of rows where its absmaxes are quantized, too: a GPU's products of experts can.
 */
export function multiplyExperts(
  x_TCI: Tensor,
  held_EOI: HeldMatrix,
  offsets: Tensor,
  { bf16, fewRows }: ProductOptions,
): Tensor {
  if ('codes' in held_EOI && (fewRows || held_EOI.double)) return expertLinearNf4(x_TCI, held_EOI, offsets, { bf16 });
  return expertLinear(x_TCI, elementsOf(graphOf(x_TCI), held_EOI), offsets, { bf16 });
}
