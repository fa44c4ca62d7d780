import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chooseDevice } from '../device.ts';
import { UserError } from '../errors.ts';
import type { Quantity } from './quantity.ts';
import { verifyAdapter } from './verifyAdapter.ts';
import { verifyBf16 } from './verifyBf16.ts';
import { verifyModel } from './verifyModel.ts';
import { verifyPreference } from './verifyPreference.ts';
import { verifySft } from './verifySft.ts';
import { templateFiles, verifyTemplates } from './verifyTemplates.ts';

export interface VerifyOptions {
  /** For a folder of a fine-tuning run, a preference objective or an adapter: the model it starts from. */
  readonly model?: string | undefined;
  /** For chat templates: where their tokenizers lie. */
  readonly tokenizer?: string | undefined;
  /** As a recipe names it; the CPU where nothing is said, whose numbers are known everywhere. */
  readonly device?: string | undefined;
  readonly dtype?: 'f32' | 'bf16' | undefined;
}

/**
 * Compares reference values with what this engine computes, whatever kind of folder they are in: a checkpoint with golden.safetensors,
 * a fine-tuning run with golden.json and rows.jsonl, a preference objective with golden.json and golden.safetensors,
 * an adapter with golden.safetensors and curves.json, or chat templates (a JSON file, or a folder of them).
 * @throws UserError for a path that is none of these, or when an option it needs is missing
 */
export async function verify(path: string, options: VerifyOptions = {}): Promise<Quantity[]> {
  const device = chooseDevice(options.device ?? 'cpu');
  const [hasTensors, hasRun] = ['golden.safetensors', 'golden.json'].map((file) => existsSync(join(path, file)));
  if (hasTensors && hasRun)
    return verifyPreference(
      path,
      required(options.model, path, '--model DIR, the base they were computed from'),
      device,
    );
  if (hasTensors && !existsSync(join(path, 'config.json'))) return verifyAdapter(path, options.model, device);
  if (hasTensors) return options.dtype === 'bf16' ? verifyBf16(path, device) : verifyModel(path, device);
  if (hasRun && existsSync(join(path, 'rows.jsonl'))) {
    return verifySft(path, required(options.model, path, '--model PATH, the model that was fine-tuned'), device);
  }
  const files = templateFiles(path);
  if (files.length > 0) {
    const tokenizers = required(options.tokenizer, path, '--tokenizer DIR, the folder of the tokenizer');
    const quantities: Quantity[] = [];
    for (const file of files) quantities.push(...(await verifyTemplates(file, tokenizers)));
    return quantities;
  }
  throw new UserError({
    what: 'there are no reference values here',
    where: path,
    next: 'give a checkpoint folder with golden.safetensors, a folder of a run or of an objective with golden.json, an adapter with curves.json, or a JSON file of chat templates',
    code: 'golden_not_found',
  });
}

function required(value: string | undefined, path: string, option: string): string {
  if (value !== undefined) return value;
  throw new UserError({
    what: 'these reference values need one thing more',
    where: path,
    next: `add ${option}`,
    code: 'option_missing',
  });
}
