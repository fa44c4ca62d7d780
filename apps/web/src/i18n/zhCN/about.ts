import type { about as en } from '../en/about.ts';

export const about: typeof en = {
  title: '关于 Anneal',
  version: '版本',
  host: '主机',
  folder: '文件夹',
  license: '许可证',
  licensesOfOthers: '所含第三方作品的许可证',
};
