import { UserError } from '../errors.ts';
import { readTools } from './formats/message.ts';

/**
 * Definitions of tools that somebody wrote by hand, in the shape that chat templates expect.
 * @param value JSON: a list of functions, bare or in OpenAI's `{type: function, function: …}`
 * @throws UserError `tools_invalid`
 */
export function toolDefinitions(value: unknown, where: string): readonly unknown[] {
  const tools = readTools(value);
  if (tools?.every(hasName)) return tools;
  throw noToolDefinitions('these are no definitions of tools', where);
}

export function noToolDefinitions(what: string, where: string, cause?: unknown): UserError {
  return new UserError({
    what,
    where,
    next: 'write a list such as [{"type": "function", "function": {"name": "weather", "description": "…", "parameters": {"type": "object", "properties": {…}}}}]',
    code: 'tools_invalid',
    cause,
  });
}

function hasName(tool: unknown): boolean {
  return typeof (tool as { function: { name?: unknown } }).function.name === 'string';
}
