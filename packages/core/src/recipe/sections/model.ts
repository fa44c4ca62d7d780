import * as z from 'zod';
import { optional, required } from '../key.ts';

/** The model that is tuned and how conversations are written out for it. */
export const model = {
  schema_version: optional(z.literal(1), 1, 'Version of the recipe format. This version of Anneal reads 1.'),
  base_model: required(
    z.string().min(1),
    'The model to tune: a folder in the Hugging Face layout, a GGUF file, a Hugging Face name such as `Qwen/Qwen3-4B`, or a short name that `anneal pull` knows, such as `smollm2-135m`. A relative path starts at the recipe.',
  ),
  revision: optional(
    z.string().min(1),
    null,
    'Commit, tag or branch of `base_model` when it comes from a hub. Name a commit and the recipe trains the same model forever.',
  ),
  chat_template: optional(
    z.string().min(1),
    'tokenizer_default',
    'How a conversation becomes text: `tokenizer_default` is the template that came with the model; `chatml`, `hermes` (ChatML with tools), `qwen3` (with tools and thinking), `llama3`, `mistral`, `gemma` and `alpaca` are templates of these kinds, for models whose tokenizer has their control tokens; otherwise the path of a Jinja file (ending in .jinja or .j2), relative to the recipe.',
  ),
  chat_template_kwargs: optional(
    z.record(z.string(), z.unknown()),
    {},
    'Variables handed to the chat template, for example `{enable_thinking: false}` for Qwen3.',
  ),
};
