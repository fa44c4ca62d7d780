import type { Messages } from '../en/index.ts';

export const seeds: Pick<Messages, 'seeds'> = {
  seeds: {
    title: '多个随机种子',
    group: '仅随机种子不同的训练',
    count: '{count} 个种子',
    seeds: '种子 {seeds}',
    loss: '损失',
    validation: '验证',
    compare: '比较',
    hint: '各种子的平均值 ± 标准差；有训练缺少数值时为 –。',
    curves: '仅随机种子不同的训练',
    together: '合并种子',
    each: '逐个种子',
  },
};
