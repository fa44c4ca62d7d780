import type { Messages } from '../en/index.ts';

export const storage: Pick<Messages, 'storage'> = {
  storage: {
    title: '存储',
    free: '代理程序所在磁盘还有 {bytes} 可用。只能清理运行不需要的内容，或可以重新生成的内容。',
    looking: '正在统计占用的空间',
    nothing: '还没有占用空间。',
    kind: {
      runs: '运行',
      checkpoints: '较早的检查点',
      exports: '导出结果',
      trash: '回收站',
      models: '已下载的模型',
      prepared: '预处理数据',
      uploads: '中断的上传',
    },
    text: {
      runs: '包括最新和最佳检查点；可在运行页面删除',
      checkpoints: '既不是最新也不是最佳的检查点',
      exports: '可在运行页面移除',
      trash: '已删除的运行，清理前都可以恢复',
      models: '没有运行使用的模型可以清理，之后可重新下载',
      prepared: '数据集的词元，需要时会重新生成',
      uploads: '没有完整到达的文件',
    },
    entries: '{count} 个数据集',
    all: '所有可清理的内容',
    clean: '释放 {bytes}',
    cleaning: '正在释放 {bytes}…',
    again: '重新统计',
    confirm: '将永久移除 {count} 项。',
    confirmAction: '移除',
    freed: '已释放 {bytes}。',
    restore: '恢复 {name}',
  },
};
