import type { Messages } from '../en/index.ts';

export const remarks: Pick<Messages, 'remarks'> = {
  remarks: {
    tags: '标签',
    newTag: '新标签',
    add: '添加',
    removeTag: '移除标签 {tag}',
    tagForm: '标签由字母、数字、点、短横线和下划线组成，最多 40 个字符。',
    note: '备注',
    write: '写备注',
    edit: '编辑',
    save: '保存',
    cancel: '取消',
    by: '{name}，{time}',
    filter: '只显示带有该标签的训练',
  },
};
