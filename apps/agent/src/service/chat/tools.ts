import { rendererFor } from '@anneal/core/datasets/chatRenderer';
import { toolDefinitions } from '@anneal/core/datasets/toolDefinitions';
import type { ModelText } from '@anneal/core/generate/modelText';
import { printsTools } from '@anneal/core/templates/printsTools';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { parseJson } from '@anneal/formats/json';
import { LIMITS } from '@anneal/formats/limits';

/** The definitions of tools in a file. @throws UserError */
export function readToolsFile(path: string): readonly unknown[] {
  return toolDefinitions(parseJson(readSmallFile(path, LIMITS.configBytes), path), path);
}

/** Whether the model's chat template tells it of the tools. */
export function isTold({ renderer }: ModelText, tools: readonly unknown[]): boolean {
  if (!renderer) return false;
  const { template, options } = rendererFor(renderer, tools);
  return printsTools(template, tools, options);
}
