import { join } from 'node:path';
import { readPeftAdapter } from '@anneal/formats/peft/read';
import { UserError } from '../../errors.ts';

/** The base as a PEFT folder names it. @throws UserError `adapter_without_base` */
export function baseOfAdapter(folder: string): { readonly baseModel: string; readonly revision: string | undefined } {
  const adapter = readPeftAdapter(folder);
  adapter.tensors.close();
  const { baseModel, revision } = adapter.config;
  if (baseModel !== undefined) return { baseModel, revision };
  throw new UserError({
    what: 'the adapter does not say which base model it belongs to',
    where: join(folder, 'adapter_config.json'),
    next: 'add base_model_name_or_path there: a folder, a GGUF file or a Hugging Face name',
    code: 'adapter_without_base',
  });
}
