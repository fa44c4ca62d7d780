import type { audit as english } from '../en/audit.ts';

export const audit: typeof english = {
  audit: {
    action: {
      chat: {
        ask: '向模型提问',
        results: '提供工具结果',
        regenerate: '重新回答',
        stop: '停止回答',
        remove: '删除对话',
        restore: '恢复对话',
        unload: '释放模型',
      },
      data: {
        editRow: '编辑数据行',
        addRow: '添加数据行',
        useVersion: '使用数据版本',
        judge: '检查所有数据行',
        stopJudging: '停止检查数据行',
      },
      endpoints: {
        set: '设置提问地址',
        remove: '移除提问地址',
      },
      exports: {
        start: '导出',
        check: '比较导出',
        push: '推送导出',
        remove: '删除导出',
      },
      jobs: {
        cancel: '取消任务',
        forget: '从列表移除任务',
      },
      models: {
        pull: '下载模型',
        check: '检查模型',
        remove: '删除模型',
      },
      people: {
        rename: '更改名称',
        endBrowsers: '登出浏览器',
        pairAnother: '生成配对链接',
        invite: '邀请成员',
        newLink: '重新生成邀请',
        setRole: '更改角色',
        remove: '移除成员',
      },
      queue: {
        move: '调整队列顺序',
        assign: '选择设备',
        remove: '移出队列',
        setConcurrency: '设置同时训练数',
      },
      recipes: {
        save: '保存配方',
        restore: '恢复配方版本',
        start: '开始训练',
        addDataset: '添加数据集',
        create: '创建配方',
        begin: '创建入门项目',
        import: '导入配方',
      },
      runs: {
        stop: '停止训练',
        save: '保存检查点',
        acknowledge: '确认警报',
        note: '写备注',
        tag: '更改标签',
        resume: '继续训练',
        remove: '删除训练',
        restore: '恢复训练',
      },
      secrets: {
        set: '设置密钥',
        remove: '移除密钥',
      },
      storage: {
        clean: '清理存储',
      },
      synthesis: {
        save: '保存生成数据的配方',
        start: '生成数据行',
      },
      tokens: {
        create: '创建令牌',
        revoke: '吊销令牌',
      },
    },
    other: {
      'pair a browser': '配对浏览器',
      'sign out': '登出',
      'upload data': '上传数据',
      'anneal pair': '生成配对链接',
      'anneal token create': '创建令牌',
      'anneal token revoke': '吊销令牌',
      'anneal secrets set': '设置密钥',
      'anneal secrets remove': '移除密钥',
      'anneal endpoints set': '设置提问地址',
      'anneal endpoints remove': '移除提问地址',
      'damaged line': '损坏的记录',
    },
    outcome: { done: '完成', begun: '已开始' },
  },
};
