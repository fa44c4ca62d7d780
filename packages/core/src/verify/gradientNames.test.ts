import { expect, test } from 'vitest';
import { goldenModel } from '../../test/fixtures.ts';
import { expertParameters, gradientVariable } from './gradientNames.ts';

const experts = 'lora.grad.base_model.model.model.layers.0.mlp.experts';

test.each([
  [['gate_up'], '', 'gate_up'],
  [['down'], '', 'down'],
  [['gate_up', 'down'], '', 'down'],
  [['gate_up', 'down'], '.base_layer', 'gate_up'],
])('with adapters on %j of the experts, %s is that on %s', (matrices, wrapper, wanted) => {
  const onExperts = expertParameters(matrices.map((matrix) => `layers.0.experts_${matrix}`));
  const name = gradientVariable(goldenModel('qwen3-moe'), `${experts}${wrapper}.lora_A.weight`, onExperts);
  expect(name).toBe(`gradient/adapter/layers.0.experts_${wanted}.A`);
});
