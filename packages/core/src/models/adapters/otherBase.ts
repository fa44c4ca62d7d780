import { UserError } from '../../errors.ts';
import type { OpenModel } from '../model.ts';

export function otherBase(
  folder: string,
  model: OpenModel,
  difference: string,
  next = 'use the base model named in its adapter_config.json',
): UserError {
  return new UserError({
    what: `the adapter was made for another base model than ${model.path}, ${difference}`,
    where: folder,
    next,
    code: 'adapter_of_another_base',
  });
}
