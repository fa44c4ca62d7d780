import type { GgufPart } from '../architecture.ts';

/** Of an architecture whose GGUF files are neither read nor written. @param reason says so */
export function withoutGguf(reason: string): GgufPart {
  return {
    configJson: (fields) => {
      throw fields.unsupported(reason, "use the model's Hugging Face folder");
    },
    metadata: () => [],
    refusal: () => reason,
    honorsWindow: false,
  };
}
