import { generate } from '../generate/generate.ts';
import { greedy } from '../generate/sample.ts';
import { sampleProgram } from './planTraining.ts';
import type { RunDirectory } from './runDirectory.ts';
import type { Session } from './session.ts';
import type { TrainingEngine } from './trainingEngine.ts';

/** Answers what is not answered yet at this step: a launch that ended in between left the rest to the next one. */
export async function answerSamples(
  { job, text, samplePrompts }: Session,
  { engine }: TrainingEngine,
  out: RunDirectory,
  step: number,
): Promise<void> {
  const { maxTokens, temperature, prompts } = job.samples;
  const answered = out.answeredSamples(step);
  for (const [i, prompt] of samplePrompts.entries()) {
    if (i < answered) continue;
    const ids: number[] = [];
    const sampling = { ...greedy, temperature };
    const options = {
      program: sampleProgram,
      sampling,
      maxNewTokens: maxTokens,
      stopIds: text.stopIds,
      seed: job.seed + i,
    };
    for await (const { id } of generate(engine, prompt, options)) if (!text.stopIds.has(id)) ids.push(id);
    out.record({
      type: 'sample',
      step,
      prompt: prompts[i]?.messages.at(-1)?.content ?? '',
      text: await text.tokenizer.decode(ids),
    });
  }
}
