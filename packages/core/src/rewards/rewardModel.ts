/** A trained reward model as a reward: reads a conversation with the answer at its end, as it was trained to, and gives it a score. */
import { compile, type Device, type Engine, Graph, type Plan, rowScores, Variables } from '@anneal/kernels';
import { layOut } from '../datasets/batch.ts';
import { inCallForm } from '../datasets/callForm.ts';
import { rendererFor, renderMessages } from '../datasets/chatRenderer.ts';
import { toWords } from '../datasets/tokenStore.ts';
import type { Conversation } from '../datasets/types.ts';
import { activationTypeOn } from '../device.ts';
import { UserError } from '../errors.ts';
import { allocateEngine } from '../memory.ts';
import { loraSpecOf, writeLora } from '../models/adapters/lora.ts';
import { decoder } from '../models/layers/decoder.ts';
import { ModelScope } from '../models/layers/modelScope.ts';
import { loadWeights } from '../models/load.ts';
import { nf4Forms } from '../models/nf4.ts';
import { type RewardObjectiveOptions, rewardObjective } from '../objectives/reward.ts';
import { TemplateError } from '../templates/template.ts';
import { readableIds } from '../tokenizers/tokensWithoutRow.ts';
import { batchCall } from '../trainer/batchCall.ts';
import type { OpenRewardModel } from './openRewardModel.ts';

/** An answer at the end of what was asked. */
export interface ScoredAnswer {
  readonly asked: Conversation;
  readonly answer: string;
}

export interface ScoringRoom {
  /** Of a text, and of all that are read at once. */
  readonly tokens: number;
  /** That are read at once. */
  readonly answers: number;
}

const scoreProgram = 'score';

export function planScoring(
  { model, adapter, reward }: OpenRewardModel,
  { device, weightType }: { readonly device: Device; readonly weightType: 'f32' | 'bf16' },
  { tokens, answers }: ScoringRoom,
): Plan {
  const lora = adapter && loraSpecOf(adapter, 0);
  const nf4 = nf4Forms(model, reward.quantization, lora);
  const weights = { type: weightType, nf4, trainable: false, lora, copies: false, dropoutSeed: null };
  const graph = new Graph(scoreProgram, new Variables(), activationTypeOn(device, weightType));
  const scope = new ModelScope(graph, model.config, weights);
  const { hidden } = decoder(scope, {
    tokens: graph.input('tokens', 'i32', ['T']),
    positions: graph.input('positions', 'i32', ['T']),
    visible: { kind: 'packed', cuSeqlens: graph.input('cuSeqlens', 'i32', ['S']) },
  });
  graph.result('scores', rowScores(hidden, scope.scoreWeight(), graph.input('supervisedRows', 'i32', ['R'])));
  // A text more than answers: what fills a batch up on a GPU.
  return compile([graph], { bounds: { T: tokens, S: answers + 2, R: answers }, activations: 'keep', device });
}

/** Loaded: takes the memory of its plan. */
export class RewardModel implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #opened: OpenRewardModel;

  private constructor(engine: Engine, opened: OpenRewardModel) {
    this.#engine = engine;
    this.#opened = opened;
  }

  /** @throws UserError when the memory is not there */
  static async load(opened: OpenRewardModel, plan: Plan, device: Device): Promise<RewardModel> {
    const { model, adapter, reward } = opened;
    const engine = allocateEngine(plan, device, {
      what: `the reward model ${reward.name}`,
      where: reward.path,
      next: 'set load_in_4bit: true for it, take a smaller one, or lower trl.max_completion_length; `anneal estimate` shows the parts',
    });
    try {
      await loadWeights(engine, model);
      if (adapter) await writeLora(engine, adapter);
      return new RewardModel(engine, opened);
    } catch (error) {
      await engine.dispose();
      throw error;
    }
  }

  /** @throws UserError `reward_failed`, and the reason of `signal` */
  async score(answers: readonly ScoredAnswer[], signal?: AbortSignal): Promise<number[]> {
    const { bounds } = this.#engine.plan;
    const texts = await this.#read(answers);
    const scores: number[] = [];
    while (scores.length < texts.length) {
      signal?.throwIfAborted();
      const together: Int32Array[] = [];
      let room = bounds.T as number;
      for (const ids of texts.slice(scores.length, scores.length + (bounds.R as number))) {
        room -= ids.length;
        if (room < 0) break;
        together.push(ids);
      }
      scores.push(...(await this.#scoresOf(together)));
    }
    if (!scores.every(Number.isFinite))
      throw this.#failed('gives scores that are no finite numbers', 'try bf16: false');
    return scores;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.dispose();
  }

  async #read(answers: readonly ScoredAnswer[]): Promise<Int32Array[]> {
    const { tokenizer } = this.#opened.text;
    const encoded = await tokenizer.encodeBatch(answers.map((answer) => this.#textOf(answer)));
    const most = this.#engine.plan.bounds.T as number;
    return encoded.map((tokenized) => {
      const { length } = tokenized.ids;
      if (length > most)
        throw this.#failed(
          `reads prompt and answer as ${length} tokens, and has room for ${most}`,
          'lower trl.max_completion_length, or leave out long prompts with a lower sequence_len; begin a new run with it',
        );
      return readableIds(tokenizer, tokenized);
    });
  }

  #textOf({ asked, answer }: ScoredAnswer): string {
    const { text } = this.#opened;
    if (!text.renderer) throw new Error('a reward model has a chat template');
    const renderer = rendererFor(text.renderer, asked.tools);
    const messages = inCallForm([...asked.messages, { role: 'assistant', content: answer }], renderer.callForm);
    const rendered = renderMessages(renderer, asked, messages);
    if (rendered instanceof TemplateError) {
      throw this.#failed(
        `cannot be asked, as its chat template refuses the messages: ${rendered.message}`,
        'change the messages or their roles in the rows; begin a new run with them',
      );
    }
    return rendered.text + (renderer.stopBehind.answer ?? '');
  }

  async #scoresOf(texts: readonly Int32Array[]): Promise<number[]> {
    const batch = layOut(
      texts.map((ids, document) => ({
        document,
        words: toWords({ ids, lossMask: new Uint8Array(ids.length), turns: [] }),
        side: 'chosen',
      })),
    );
    const objective = rewardObjective({
      center: 0,
      padToken: this.#opened.model.config.padTokenId,
    } satisfies RewardObjectiveOptions);
    const call = batchCall(this.#engine, objective, scoreProgram, batch, { results: ['scores'] });
    const { results } = await this.#engine.run([call]);
    return Array.from(results[0] as Float32Array);
  }

  #failed(what: string, next: string): UserError {
    const { name, path } = this.#opened.reward;
    return new UserError({ what: `the reward ${name} ${what}`, where: path, next, code: 'reward_failed' });
  }
}
