import type { Messages } from '../en/index.ts';

export const address: Pick<Messages, 'address'> = {
  address: {
    unknown: '此页面的地址中有无法识别的内容，已忽略：{parts}',
    clear: '清除',
  },
};
