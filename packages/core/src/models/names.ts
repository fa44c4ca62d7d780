/**
 * What happens to a tensor on the way from Hugging Face's layout (ours too) into GGUF. `permuteHeads`: rope
 * there turns neighboring rows of a head, here rows half a head apart, so the rows of each head are interleaved.
 * `plusOne`: weights of norms that say here how far they are from 1 say there what they are. `column`: a vector is a
 * column there. `negativeExp`: logarithms of the rates of decays are the negative rates there, in a column.
 */
export type GgufTransform = 'permuteHeads' | 'plusOne' | 'column' | 'negativeExp' | null;

interface ValueTransform {
  readonly intoGguf: (weight: number) => number;
  readonly fromGguf: (weight: number) => number;
  /** What a number of a GGUF file has to be, so that there is one of ours. */
  readonly needs: string;
}

/** Those that change values, which both formats have in float32. */
export function valueTransform(transform: GgufTransform): ValueTransform | null {
  if (transform === 'plusOne')
    return { intoGguf: (weight) => weight + 1, fromGguf: (weight) => weight - 1, needs: 'finite' };
  if (transform === 'negativeExp')
    return { intoGguf: (weight) => -Math.exp(weight), fromGguf: (weight) => Math.log(-weight), needs: 'below 0' };
  return null;
}

/** One tensor's name in the three worlds; `*` stands for the layer number. */
export interface TensorName {
  readonly ours: string;
  readonly huggingFace: string;
  readonly gguf: string;
  readonly transform: GgufTransform;
  /** Of a matrix that holds those of all experts, or gate and up: what files may have in its place. */
  readonly parts?: MatrixParts;
  /** How Hugging Face's files hold the whole, where not as we do. */
  readonly layout?: ExpertLayout;
}

/** Of one expert's matrix in a file. Ours has a row for each output, those of gate before those of up. */
export interface ExpertLayout {
  /** A column for each output. */
  readonly transposed: boolean;
  /** Outputs of gate and up in turn. */
  readonly interleaved: boolean;
}

/**
 * How a matrix that is no expert's lies in files. `rows`: a tensor for as many of its rows each. `padded`: rows follow, of tokens of the
 * vocabulary that ours has none for: zeros. `latent heads`: of each head's rows those that make keys and those that make values, a
 * matrix for each head, of keys a column for each row. `value heads`: rows, or columns, of the gated delta rule's value heads, which are
 * beside those of their key head here, and in files by turns of the key heads; what is before them stays. A place: it is one of so many
 * of equal shape, which are one tensor.
 */
export type PartsOfOne =
  | 'rows'
  | 'padded'
  | 'latent heads'
  | 'value heads in rows'
  | 'value heads in columns'
  | { readonly index: number; readonly count: number };

/**
 * Names of the parts of each expert's matrix, in the order of their rows: `gate` and `up`. With `#`, which stands for the number of the
 * expert, a tensor holds one part of one expert; without, that part of all of them. Formats that are not here have the whole only.
 */
export interface MatrixParts {
  /** How one matrix is parted; absent where there is one for each expert. */
  readonly ofOne?: PartsOfOne;
  readonly huggingFace?: readonly string[];
  readonly gguf: readonly string[];
}

export type NameTable = readonly TensorName[];

/** Rows of ours, Hugging Face, GGUF and, where there is one, the transform into GGUF. */
export function table(
  ...rows: readonly (readonly [ours: string, huggingFace: string, gguf: string, transform?: GgufTransform])[]
): NameTable {
  return rows.map(([ours, huggingFace, gguf, transform = null]) => ({ ours, huggingFace, gguf, transform }));
}

/** Of the head of a reward model, in every architecture; no GGUF file has one. */
const scoreRow: TensorName = { ours: 'score', huggingFace: 'score.weight', gguf: 'score.weight', transform: null };

/** The row of one of our tensors with its layer number filled in, or null for a name the architecture lacks. */
export function findName(names: NameTable, ours: string): TensorName | null {
  const { pattern, layer } = splitLayer(ours);
  const row = pattern === scoreRow.ours ? scoreRow : names.find((name) => name.ours === pattern);
  if (!row) return null;
  const fill = (name: string): string => name.replace('*', layer ?? '*');
  const { huggingFace, gguf, transform, parts, layout } = row;
  return {
    ours,
    huggingFace: fill(huggingFace),
    gguf: fill(gguf),
    transform,
    ...(parts && {
      parts: {
        ...parts,
        ...(parts.huggingFace && { huggingFace: parts.huggingFace.map(fill) }),
        gguf: parts.gguf.map(fill),
      },
    }),
    ...(layout && { layout }),
  };
}

/** `layers.12.q` → `layers.*.q` and `12`. */
function splitLayer(ours: string): { pattern: string; layer: string | null } {
  const match = /^layers\.(\d+)\./.exec(ours);
  if (!match) return { pattern: ours, layer: null };
  return { pattern: `layers.*.${ours.slice(match[0].length)}`, layer: match[1] ?? null };
}
