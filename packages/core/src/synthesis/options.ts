/** What a synthesis is made from: a recipe with nothing left to a default. */
export interface SynthesisOptions {
  readonly endpoint: EndpointOptions;
  readonly sources: readonly SourceOptions[];
  /** Absolute path of the rows. */
  readonly output: string;
  readonly pairsPerChunk: number;
  readonly chunkCharacters: number;
  readonly maxChunks: number | null;
  readonly language: string | null;
  readonly prompt: string | null;
  readonly systemPrompt: string | null;
  readonly rules: Rules;
  readonly deduplicate: 'near' | 'exact' | 'none';
  readonly nearDuplicateSimilarity: number;
  readonly seed: number;
}

export interface EndpointOptions {
  /** Without a slash at its end; `/chat/completions` follows. */
  readonly url: string;
  readonly model: string;
  /** Environment variable with the API key; null: none is sent. */
  readonly apiKeyVariable: string | null;
  /** Sent with each request as they are. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly concurrency: number;
  readonly timeoutMilliseconds: number;
  readonly retries: number;
}

export interface SourceOptions {
  /** Absolute. */
  readonly path: string;
  /** As the recipe writes it: provenance names no folder of this machine that the recipe does not. */
  readonly name: string;
  /** Column of the text in data files. */
  readonly field: string;
}

/** What a pair must keep. Lengths are in characters. */
export interface Rules {
  readonly question: Range;
  readonly answer: Range;
  readonly mustMatch: string | null;
  readonly mustNotMatch: string | null;
  readonly scripts: readonly string[] | null;
  readonly json: boolean;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}
