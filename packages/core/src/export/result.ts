/** What an export wrote. */
export interface ExportResult {
  /** The folder or file to hand on. */
  readonly path: string;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** What the receiver will do differently from us, in sentences. */
  readonly warnings: readonly string[];
}

/** Arguments that every export takes. */
export interface ExportProgress {
  /** Called after each tensor with its number, from 1, and how many there are. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Stops between two tensors; what was begun is removed. */
  readonly signal?: AbortSignal | undefined;
}
