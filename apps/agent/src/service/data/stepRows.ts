import { idOfWord, type TokenStore } from '@anneal/core/datasets/tokenStore';
import type { Batch, Side } from '@anneal/core/datasets/types';
import type { BatchRow, BatchRowTokens } from '@anneal/core/protocol/batches';
import type { Tokenizer } from '@anneal/core/tokenizers/tokenizer';
import { type TokenPiece, tokenPieces } from '@anneal/core/tokenizers/tokenPieces';
import { lossTokens } from './lossTokens.ts';

/** Of a row in a list. */
const excerptTokens = 64;
const excerptCharacters = 160;
/** Of one answer. */
const mostTokens = 2000;

/** Rows as they lie in the batches of a step, for a list and token by token. */
export class StepRows {
  readonly #store: TokenStore;
  readonly #tokenizer: Tokenizer;
  readonly #pieceOf: (id: number) => Promise<TokenPiece>;

  constructor(store: TokenStore, tokenizer: Tokenizer) {
    this.#store = store;
    this.#tokenizer = tokenizer;
    this.#pieceOf = tokenPieces(tokenizer);
  }

  /** @param batches of one step, in their order */
  list(batches: readonly Batch[]): Promise<BatchRow[]> {
    const rows = batches.flatMap((batch, number) =>
      batch.documents.map((document, i) =>
        this.#row(document, batch.sides[i] ?? 'none', number, batch.cuSeqlens[i] as number),
      ),
    );
    return Promise.all(rows);
  }

  /** The tokens of a document from number `from` on, as many as one answer has. @param losses of its target tokens, in order */
  async part(
    { document, from }: { document: number; from: number },
    losses?: Float64Array,
  ): Promise<Omit<BatchRowTokens, 'checkpoint'>> {
    const tokens = await lossTokens(this.#store.words(document), this.#tokenizer, this.#pieceOf, losses);
    return { document, from, tokens: tokens.slice(from, from + mostTokens), tokenCount: tokens.length };
  }

  async #row(document: number, side: Side, batch: number, start: number): Promise<BatchRow> {
    const ids = this.#store.words(document).subarray(0, excerptTokens).map(idOfWord);
    const beginning = await this.#tokenizer.decode(ids, { skipSpecial: true });
    return {
      document,
      batch,
      start,
      ...this.#store.source(document),
      tokens: this.#store.lengths[document] as number,
      targetTokens: this.#store.targetCounts[document] as number,
      ...(side !== 'none' && { side }),
      excerpt: beginning.replace(/\s+/g, ' ').trim().slice(0, excerptCharacters).toWellFormed(),
    };
  }
}
