import type { Messages } from '../en/index.ts';

export const alerts: Pick<Messages, 'alert'> = {
  alert: {
    title: '{count} 条警报',
    kinds: {
      not_finite: '非有限值',
      loss_spike: '损失突增',
      stalled: '停滞',
      disk_nearly_full: '磁盘将满',
    },
    badge: '{count} 条警报：{kinds}',
    step: '第 {step} 步',
    lasts: '仍在持续',
    acknowledge: '标记为已查看',
    acknowledgeAll: '全部标记为已查看',
    seen: '{count} 条已查看的警报',
    seenBy: '{name}，{time}',
  },
};
