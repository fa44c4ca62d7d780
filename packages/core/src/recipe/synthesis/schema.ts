/** The keys of a recipe of `anneal synthesize`. */
import * as z from 'zod';
import { TASKS } from '../../synthesis/options.ts';
import { derived, optional, required } from '../key.ts';

const text = z.string().min(1);
const pattern = z.string().min(1).max(1000);
const characters = z.int().min(0).max(1_000_000);

export const endpointSchema = z.strictObject({
  url: required(
    text,
    'Address of an OpenAI-compatible API, up to and without `/chat/completions`: `http://127.0.0.1:11434/v1` of Ollama, `http://127.0.0.1:7420/v1` of `anneal serve`.',
  ),
  model: required(text, 'Name of the model there.'),
  api_key_env: optional(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable'),
    null,
    'Name of the environment variable that holds the API key. The key itself is never written anywhere. null: none is sent.',
  ),
  max_tokens: optional(z.int().min(1).max(1_000_000), 1024, 'Longest answer to one request, in tokens.'),
  temperature: optional(z.number().min(0).max(10), 0.7, 'Randomness of the answers.'),
  top_p: optional(
    z.number().positive().max(1),
    null,
    'Sample among the likeliest tokens that together have this probability. null: as the endpoint does.',
  ),
  send_seed: optional(
    z.boolean(),
    true,
    'Send `seed` with each request, which makes answers of many servers repeatable. A few servers refuse it.',
  ),
  parameters: optional(
    z.record(z.string(), z.json()),
    null,
    'Further parameters of each request, sent as they are, such as `{chat_template_kwargs: {enable_thinking: false}}`. `max_completion_tokens` takes the place of `max_tokens`.',
  ),
  concurrency: optional(z.int().min(1).max(256), 4, 'Requests under way at the same time, at most.'),
  timeout_seconds: optional(z.number().min(0.1).max(300), 300, 'Longest wait for one whole answer.'),
  retries: optional(
    z.int().min(0).max(100),
    5,
    'How often a request is sent again that met a busy server (429), an error of the server (5xx), a timeout or a broken connection. The pauses double, from one second to a minute, or are as long as `Retry-After` says.',
  ),
});

export const sourceSchema = z.strictObject({
  path: required(
    text,
    'A document (.md, .markdown, .txt), a data file (.jsonl, .json, .csv, .tsv, .parquet) each row of which is a document, or a folder of these with the folders in it. A relative path starts at the recipe.',
  ),
  field: optional(text, 'text', 'Of data files: the column with the text of a document.'),
});

export const judgeSchema = z.strictObject({
  threshold: optional(z.number().min(0).max(10), 7, 'Least score of 0 to 10 that a row needs to stay.'),
  prompt: optional(
    text,
    null,
    'What the judge is asked, in the place of our own words: with `{question}` and `{answer}`, and `{text}` for the chunk. It must ask for JSON with a `score` from 0 to 10.',
  ),
  url: derived(
    text,
    'that of `endpoint`',
    'Address of another endpoint for judging. It is asked with the same API key variable only if `api_key_env` is written here, too.',
  ),
  model: derived(text, 'that of `endpoint`', 'Name of the model that judges.'),
  api_key_env: derived(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable'),
    'that of `endpoint`, unless `url` is written',
    'Name of the environment variable with the API key.',
  ),
  temperature: optional(z.number().min(0).max(10), 0, 'Randomness of the judgements.'),
  max_tokens: optional(z.int().min(1).max(1_000_000), 512, 'Longest judgement, in tokens.'),
});

export const filtersSchema = z.strictObject({
  min_question_chars: optional(characters, 10, 'Fewest characters of a question.'),
  max_question_chars: optional(characters, 2000, 'Most characters of a question.'),
  min_answer_chars: optional(characters, 1, 'Fewest characters of an answer.'),
  max_answer_chars: optional(characters, 20_000, 'Most characters of an answer.'),
  must_match: optional(pattern, null, 'A regular expression (JavaScript, with the flag u) that an answer must match.'),
  must_not_match: optional(
    pattern,
    null,
    'A regular expression that neither question nor answer may match, such as `the (text|passage|document)`.',
  ),
  scripts: optional(
    z.array(text).min(1),
    null,
    'Scripts by their Unicode names, such as `[Latin]` or `[Han, Hiragana, Katakana]`: nine of ten letters of a question with its answer must be of them.',
  ),
  json: optional(z.boolean(), false, 'An answer must be JSON.'),
});

export const synthesisKeys = {
  schema_version: optional(z.literal(1), 1, 'Version of this form of recipe.'),
  endpoint: required(endpointSchema, 'Who is asked: see below.'),
  task: optional(
    z.enum(TASKS),
    'question_answer',
    'What is made: `question_answer` pairs from documents; of rows, `answer` has the last question answered anew, `rewrite_answers` and `rewrite_questions` have the last answer or question rewritten.',
  ),
  sources: required(z.array(sourceSchema).min(1), 'What it is asked about: a list, see below.'),
  output: required(
    z.string().regex(/\.jsonl$/i, 'a name that ends in .jsonl'),
    'File of the rows, a name that ends in .jsonl. Beside it a folder of the same name that ends in `.synthesis` keeps the answers and what was rejected. A relative path starts at the recipe.',
  ),
  pairs_per_chunk: optional(z.int().min(1).max(100), 3, 'Pairs of question and answer that each chunk is asked for.'),
  chunk_chars: optional(
    z.int().min(100).max(1_000_000),
    4000,
    'Most characters of a document that are sent in one request. Documents are cut between paragraphs, else sentences, else words.',
  ),
  max_chunks: optional(
    z.int().min(1),
    null,
    'Ask about at most so many chunks, or rows, chosen by the seed. null: about all.',
  ),
  language: optional(text, null, 'Language of the pairs, in words: `English`, `中文`. null: that of the text.'),
  prompt: optional(
    text,
    null,
    'What is asked, in the place of our own words: with `{text}` where the chunk belongs, and `{count}`, `{language}`, `{persona}`, `{difficulty}`. It must ask for JSON: a list of objects with `question` and `answer`. Of rows with `{question}` and `{answer}`, and the reply is the new text. With `task: answer` there is none: the conversation itself is sent.',
  ),
  personas: optional(
    z.array(text).min(1),
    null,
    'Who asks, or for whom something is rewritten, in words: `[a harbor pilot, a child of ten]`. Each request has one, chosen by the seed.',
  ),
  difficulties: optional(
    z.array(text).min(1),
    null,
    'How hard it is, in words: `[easy, such that several facts have to be put together]`. Each request has one, chosen by the seed.',
  ),
  variations: optional(
    z.int().min(1).max(1000),
    1,
    'Requests about each chunk or row, each with another persona and difficulty.',
  ),
  thinking: optional(
    z.enum(['drop', 'reasoning_content', 'think_tags']),
    'drop',
    'With `task: answer`: what becomes of what the model thought. `reasoning_content` puts it into that field of the message, where chat templates of thinking models look for it, `think_tags` into the text, between `<think>` and `</think>`.',
  ),
  system_prompt: optional(
    text,
    null,
    'A system message at the beginning of every row. It is not sent to the endpoint.',
  ),
  filters: optional(filtersSchema, null, 'Rules that pairs must keep: see below. null: with the defaults.'),
  judge: optional(judgeSchema, null, 'A model gives each row a score: see below. null: none does.'),
  deduplicate: optional(
    z.enum(['near', 'exact', 'none']),
    'near',
    'Leave out questions that were asked before (`exact`), and pairs that say nearly the same as an earlier one (`near`).',
  ),
  near_duplicate_similarity: optional(
    z.number().min(0.5).max(1),
    0.8,
    'From which share of common runs of five words on pairs say nearly the same.',
  ),
  seed: optional(
    z
      .int()
      .min(0)
      .max(2 ** 31 - 1),
    3407,
    'Decides which chunks are chosen, and the seed that is sent with each request. Another one asks everything anew.',
  ),
};

/** Strict: an unknown key is an error. */
export const synthesisSchema = z.strictObject(synthesisKeys);
