import type { Device } from '@anneal/kernels';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import type { OpenModel } from '../models/open.ts';
import { float32 } from './forward.ts';
import type { GoldenFolder } from './golden.ts';
import { goldenStep, openTraining } from './goldenTraining.ts';
import { gradientVariable } from './gradientNames.ts';
import { gradientDifference, maxDifference, type Quantity, tolerances } from './quantity.ts';
import { verifyForward, verifyLabels } from './verifyForward.ts';

/** Nothing is moved: the gradients of one step are all that is looked at. */
const optimizer = { betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0, max_grad_norm: 0 } as const;

/**
 * What a golden folder holds of a model whose own weights are not trained, being stored in 4 bits: logits and loss, and with
 * the adapter its gradients, too.
 */
export async function verifyFrozen(
  golden: GoldenFolder,
  model: OpenModel,
  adapter: LoraWeights,
  device: Device,
): Promise<Quantity[]> {
  const lossAndGradients = async (prefix: string, weights: LoraWeights): Promise<Quantity[]> => {
    await using training = await openTraining(golden, model, weights, device, float32, optimizer);
    const { loss } = await training.step(goldenStep(golden), { step: 1, learningRate: 0, seed: 0 });
    const quantities = [maxDifference(`${prefix}loss`, [loss], golden.float32(`${prefix}loss`), tolerances.loss)];
    for (const name of golden.names.filter((n) => prefix !== '' && n.startsWith(`${prefix}grad.`))) {
      const gradient = (await training.engine.read(gradientVariable(model, name))) as Float32Array;
      quantities.push(...gradientDifference(name, gradient, golden.float32(name)));
    }
    return quantities;
  };
  return [
    verifyLabels(golden),
    ...(await verifyForward(golden, model, null, device)),
    ...(await lossAndGradients('', withoutEffect(adapter))),
    ...(await verifyForward(golden, model, adapter, device)),
    ...(await lossAndGradients('lora.', adapter)),
  ];
}

/** An adapter of the same shape that adds nothing. */
function withoutEffect(adapter: LoraWeights): LoraWeights {
  const modules = [...adapter.modules].map(([name, module]) => {
    return [name, { ...module, B: new Float32Array(module.B.length) }] as const;
  });
  return { ...adapter, modules: new Map(modules) };
}
