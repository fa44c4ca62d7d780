/**
 * SentencePiece's BPE gives every piece a score and always joins the neighbors whose union scores highest; Hugging Face's
 * has a list of merges and joins the pair that comes first. These translate one into the other.
 */

/**
 * Every way to put a piece together from two others, best score first; ties by id, as transformers does, which gives exactly the
 * merges in the tokenizer.json of Llama 2 and Mistral.
 */
export function mergesFromScores(pieces: readonly string[], scores: readonly number[]): [string, string][] {
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const merges: { left: string; right: string; leftId: number; rightId: number; id: number }[] = [];
  for (const [id, piece] of pieces.entries()) {
    let split = 0;
    for (const character of piece) {
      split += character.length; // code points, not halves of surrogate pairs
      if (split === piece.length) break;
      const [left, right] = [piece.slice(0, split), piece.slice(split)];
      const [leftId, rightId] = [ids.get(left), ids.get(right)];
      if (leftId !== undefined && rightId !== undefined) merges.push({ left, right, leftId, rightId, id });
    }
  }
  const scoreOf = (id: number) => scores[id] as number;
  merges.sort((a, b) => scoreOf(b.id) - scoreOf(a.id) || a.id - b.id || a.leftId - b.leftId || a.rightId - b.rightId);
  return merges.map(({ left, right }) => [left, right]);
}

/**
 * Scores that make SentencePiece's algorithm join in the order of `merges`: minus the rank of the first merge that makes the
 * piece. Undefined when there are none, because the merges of one piece do not follow each other, or because two pieces could
 * be joined without a merge that says so.
 * @param pieces by id  @param merges by rank
 */
export function scoresFromMerges(
  pieces: readonly string[],
  merges: readonly (readonly [string, string])[],
): Float32Array | undefined {
  const order = new Map<string, number>(); // piece → its place among the pieces that merges make
  let current: string | undefined;
  for (const [left, right] of merges) {
    const piece = left + right;
    if (piece === current) continue;
    if (order.has(piece)) return undefined;
    order.set(piece, order.size);
    current = piece;
  }
  // Pieces that nothing makes (characters, bytes) come after all others; their score is never compared.
  const scores = Float32Array.from(pieces, (piece) => -(order.get(piece) ?? order.size));
  const wanted = new Set(merges.map(([left, right]) => `${left}\0${right}`));
  const possible = mergesFromScores(pieces, Array.from(scores));
  const complete =
    possible.length === wanted.size && possible.every(([left, right]) => wanted.has(`${left}\0${right}`));
  return complete ? scores : undefined;
}
