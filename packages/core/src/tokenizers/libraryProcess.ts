/**
 * Hugging Face's tokenizers library in a process of its own: a panic in it ends that process, and no other.
 * Started by `libraryConnection.ts`.
 */
import { Tokenizer } from 'tokenizers';
import { answerRequests } from '../foreignProcess.ts';

export type LibraryRequest =
  | { readonly kind: 'open'; readonly tokenizerJson: string }
  | { readonly kind: 'encode'; readonly texts: readonly string[]; readonly addSpecialTokens: boolean }
  | { readonly kind: 'decode'; readonly ids: Int32Array; readonly skipSpecial: boolean };

/** Ranges count code points, two numbers per token. */
export interface LibraryEncoding {
  readonly ids: Int32Array<ArrayBuffer>;
  readonly ranges: Int32Array;
}

let library: Tokenizer | undefined;

answerRequests(answerTo);

async function answerTo(request: LibraryRequest): Promise<unknown> {
  if (request.kind === 'open') return open(request.tokenizerJson);
  if (!library) throw new Error('no tokenizer is open');
  if (request.kind === 'decode') return library.decode(Array.from(request.ids), request.skipSpecial);
  const encodings = await library.encodeBatch([...request.texts], { addSpecialTokens: request.addSpecialTokens });
  return encodings.map((encoding): LibraryEncoding => {
    const ids = Int32Array.from(encoding.getIds());
    const ranges = new Int32Array(2 * ids.length);
    for (const [i, [start = 0, end = 0]] of encoding.getOffsets().entries()) {
      ranges[2 * i] = start;
      ranges[2 * i + 1] = end;
    }
    return { ids, ranges };
  });
}

function open(tokenizerJson: string): null {
  library = Tokenizer.fromString(tokenizerJson);
  library.disableTruncation();
  library.disablePadding();
  const { added_tokens: added } = JSON.parse(tokenizerJson) as { added_tokens?: { id: number; content: string }[] };
  for (const { id, content } of added ?? []) {
    const given = library.tokenToId(content);
    if (content !== '' && given !== id)
      throw new Error(
        `the added token ${JSON.stringify(content)} has the id ${id}, where the vocabulary needs ${given}`,
      );
  }
  return null;
}
