import type { Engine } from '@anneal/kernels';
import { UserError } from '../errors.ts';
import { allocateEngine } from '../memory.ts';
import { inFull } from '../models/adapters/full.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import {
  type LoraModuleSpec,
  type LoraOptions,
  type LoraSpec,
  loraSpecOf,
  writeLora,
} from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { apart, type Start, type StartProgress, startOf, writeResidual } from '../models/adapters/start.ts';
import { inTokens, tokensOfBase, writeTokens } from '../models/adapters/tokens.ts';
import { loadWeights } from '../models/load.ts';
import { openModel } from '../models/open.ts';
import { runNeed } from './fit.ts';
import { initializeLora } from './initialize.ts';
import type { Session } from './session.ts';

export interface StartedEngine {
  readonly engine: Engine;
  /** What the base in the engine lacks because the adapter began as it (PiSSA); null where it is whole. */
  readonly start: Start | null;
}

/**
 * The plan's engine with all weights in it: the base model's, and those of `checkpoint` where there is one, else a new adapter or that of
 * `lora_model_dir`.
 * @param progress of an adapter that begins as a part of the weights, which of a large model takes minutes
 * @throws UserError when the memory is not there, or the checkpoint is of another model or another adapter
 */
export async function startEngine(
  session: Session,
  checkpoint: string | null,
  progress: StartProgress = {},
): Promise<StartedEngine> {
  const { job, model, plan, lora } = session;
  const { trained: adapter, start } = await adapterOf(session, checkpoint, progress);
  if (checkpoint && lora && adapter) refuseOtherAdapter(checkpoint, loraSpecOf(adapter, lora.dropout), lora);
  const engine = allocateEngine(plan, job.device, runNeed);
  let weights = model;
  try {
    if (checkpoint && !lora) weights = openModel(checkpoint);
    await loadWeights(engine, weights);
    if (adapter && start) await writeResidual(engine, model, { trained: adapter, start });
    if (adapter) await writeLora(engine, adapter);
    else if (lora) await initializeLora(engine, lora, job.seed);
    if (lora && lora.tokens.length > 0 && !adapter?.tokens) await writeTokens(engine, tokensOfBase(model, lora.tokens));
    return { engine, start };
  } catch (error) {
    await engine.dispose();
    throw error;
  } finally {
    if (weights !== model) weights.close();
  }
}

/** What the run begins or goes on with; of a plain new adapter nothing, as its A are chance. */
async function adapterOf(
  { job, model, lora, initialAdapter }: Session,
  checkpoint: string | null,
  progress: StartProgress,
): Promise<{ trained: LoraWeights | null; start: Start | null }> {
  const options = job.adapter?.options;
  const { initialization = 'plain' } = options ?? {};
  if (checkpoint && lora) {
    const whole = await loadLoraWeights(checkpoint, model);
    return initialization === 'pissa' ? apart(whole, options?.alpha) : { trained: whole, start: null };
  }
  if (initialAdapter || !lora || !options || initialization === 'plain')
    return { trained: initialAdapter, start: null };
  const start = await startOf(model, lora.modules, initialization, { ...progress, device: job.device });
  const trained = newAdapter(options, lora, start);
  return { trained, start: initialization === 'pissa' ? start : null };
}

function newAdapter({ r, alpha, rslora }: LoraOptions, { quantizedBase }: LoraSpec, modules: Start): LoraWeights {
  return { r, alpha, rslora, dora: false, loraBias: false, quantizedBase, modules, full: new Map(), tokens: null };
}

/** Factors of another rank would fill the wrong rows of the plan's, and with another scale they would mean another model. */
function refuseOtherAdapter(checkpoint: string, stored: LoraSpec, wanted: LoraSpec): void {
  const [storedFull, wantedFull] = [stored, wanted].map(({ full }) => inFull(full));
  if (storedFull !== wantedFull)
    throw otherAdapter(checkpoint, `the checkpoint has ${storedFull} trained in full, this recipe ${wantedFull}`);
  const [storedTokens, wantedTokens] = [stored, wanted].map(({ tokens }) => inTokens(tokens));
  if (storedTokens !== wantedTokens)
    throw otherAdapter(checkpoint, `the checkpoint has ${storedTokens} trained, this recipe ${wantedTokens}`);
  const linears = new Set([...stored.modules.keys(), ...wanted.modules.keys()]);
  for (const linear of linears) {
    const [found, planned] = [stored, wanted].map((spec) => inWords(spec.modules.get(linear), spec));
    if (found === planned) continue;
    throw otherAdapter(checkpoint, `the checkpoint has ${found} on ${linear}, this recipe ${planned}`);
  }
}

function otherAdapter(checkpoint: string, what: string): UserError {
  return new UserError({
    what,
    where: checkpoint,
    next: 'use the lora_… and peft_… settings that the checkpoint was made with',
    code: 'checkpoint_of_another_run',
  });
}

/** The scale is stored as an alpha, which may cost its last bits. */
function inWords(module: LoraModuleSpec | undefined, { dora, loraBias, quantizedBase }: LoraSpec): string {
  const kind = [
    ...(quantizedBase ? ['an adapter of LoftQ'] : []),
    ...(dora ? ['a DoRA adapter'] : []),
    ...(loraBias ? ['an adapter with a bias'] : []),
    'an adapter',
  ][0];
  return module ? `${kind} of rank ${module.rank} and scale ${Number(module.scale.toPrecision(9))}` : 'no adapter';
}
