import type { GgufPart } from '../architecture.ts';

const REASON = 'GGUF files of Granite 4, which hold gate and up apart, are not implemented';

export const ggufPart: GgufPart = {
  configJson: (fields) => {
    throw fields.unsupported(REASON, "use the model's Hugging Face folder");
  },
  metadata: () => [],
  refusal: () => REASON,
  honorsWindow: false,
};
