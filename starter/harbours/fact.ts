/** One thing that is true of a harbour: as it is told to the keeper, and questions with the keeper's answers. */
export interface Fact {
  readonly told: string;
  readonly questions: readonly (readonly [asks: readonly string[], answers: readonly string[]])[];
}

export function fact(told: string, ...questions: [string[], string[]][]): Fact {
  return { told, questions };
}
