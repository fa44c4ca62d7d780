interface WithLoss {
  /** Null where it was not finite, undefined where it is not known. */
  readonly loss?: number | null | undefined;
}

/** The highest losses first: one that is not finite is higher than any, and those that are not known come last. Browser-safe. */
export function byLoss(a: WithLoss, b: WithLoss): number {
  const height = ({ loss }: WithLoss) => (loss === undefined ? -1 : (loss ?? Number.MAX_VALUE));
  return height(b) - height(a);
}
