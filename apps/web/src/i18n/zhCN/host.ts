import type { Messages } from '../en/index.ts';

export const host: Pick<Messages, 'host' | 'start'> = {
  host: {
    title: '主机',
    loading: '正在加载设备',
    gone: '此设备已不存在。',
    concurrency: '同时训练数',
    none: '不开始',
    free: '空闲。启动的训练会立即开始。',
    heldFree: '空闲，但已设为不开始训练。启动的训练会等待。',
    running: '正在训练',
    waiting: '等待中',
    held: '等待中：此设备已设为不开始训练',
    since: '自 {time} 起',
    up: '将 {name} 上移',
    down: '将 {name} 下移',
    remove: '将 {name} 移出队列',
    priority: { high: '高优先级', normal: '普通优先级', low: '低优先级' },
  },
  start: {
    device: '设备',
    asRecipe: '按配方设置',
    priority: '优先级',
    high: '高',
    normal: '普通',
    low: '低',
  },
};
