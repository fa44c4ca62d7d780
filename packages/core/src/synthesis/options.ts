/** What a synthesis is made from: a recipe with nothing left to a default. */
export interface SynthesisOptions {
  readonly task: Task;
  readonly endpoint: EndpointOptions;
  readonly sources: readonly SourceOptions[];
  /** Absolute path of the rows. */
  readonly output: string;
  readonly pairsPerChunk: number;
  readonly chunkCharacters: number;
  readonly maxChunks: number | null;
  readonly language: string | null;
  readonly prompt: string | null;
  /** Who asks, and how hard it is, in words; a request has one of each. */
  readonly personas: readonly string[] | null;
  readonly difficulties: readonly string[] | null;
  /** Requests about each chunk or row, each with another of these. */
  readonly variations: number;
  readonly thinking: 'drop' | 'reasoning_content' | 'think_tags';
  readonly systemPrompt: string | null;
  readonly judge: JudgeOptions | null;
  readonly rules: Rules;
  readonly deduplicate: 'near' | 'exact' | 'none';
  readonly nearDuplicateSimilarity: number;
  readonly seed: number;
}

export const TASKS = ['question_answer', 'answer', 'rewrite_answers', 'rewrite_questions'] as const;
export type Task = (typeof TASKS)[number];

export interface JudgeOptions {
  /** As the endpoint of the rows, with what the recipe says otherwise. */
  readonly endpoint: EndpointOptions;
  readonly prompt: string | null;
  /** Least score of 0 to 10 that a row needs. */
  readonly threshold: number;
}

export interface EndpointOptions {
  /** Without a slash at its end; `/chat/completions` follows. */
  readonly url: string;
  readonly model: string;
  /** Environment variable with the API key; null: none is sent. */
  readonly apiKeyVariable: string | null;
  /** Sent with each request as they are. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly sendSeed: boolean;
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
