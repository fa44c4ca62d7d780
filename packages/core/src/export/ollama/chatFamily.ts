/** A way of writing conversations that several models share. */
export interface ChatFamily {
  readonly name: string;
  /**
   * In Go's text/template, over `.Messages` (`.Role`, `.Content`, `.Thinking`, `.ToolCalls`), `.Tools`, `.System`, `.IsThinkSet`,
   * `.Think`; without the beginning-of-sequence token, which the tokenizer adds.
   */
  readonly template: string;
  /** It tells the model of tools, and prints calls and results. */
  readonly tools?: true;
  /** Texts that end a turn. */
  readonly stops: readonly string[];
  /** What its makers recommend, for models whose files recommend nothing. */
  readonly sampling?: {
    readonly temperature: number;
    readonly top_p: number;
    readonly top_k: number;
    readonly min_p: number;
  };
}
