import { join } from 'node:path';
import type { LoraConfig } from '@anneal/formats/peft/config';
import { readPeftAdapter } from '@anneal/formats/peft/read';
import { UserError } from '../../errors.ts';

export interface NamedBase {
  readonly baseModel: string;
  readonly revision: string | undefined;
}

/** The base as a PEFT folder names it. @throws UserError `adapter_without_base` */
export function baseOfAdapter(folder: string): NamedBase {
  const { tensors, config } = readPeftAdapter(folder);
  tensors.close();
  return baseNamedBy(config, folder);
}

/** @param folder where this config lies @throws UserError `adapter_without_base` */
export function baseNamedBy({ baseModel, revision }: LoraConfig, folder: string): NamedBase {
  if (baseModel !== undefined) return { baseModel, revision };
  throw new UserError({
    what: 'the adapter does not say which base model it belongs to',
    where: join(folder, 'adapter_config.json'),
    next: 'add base_model_name_or_path there: a folder, a GGUF file or a Hugging Face name',
    code: 'adapter_without_base',
  });
}
