import type { Messages } from '../en/index.ts';

export const jobs: Pick<Messages, 'jobs'> = {
  jobs: {
    title: '活动',
    open: '{count, plural, =0 {活动} other {活动：正在运行 # 个任务}}',
    note: '关闭此页面后任务会继续运行；代理程序结束时任务也会结束。',
    cancel: '取消',
    cancelOf: '取消：{name}',
    cancelling: '正在取消…',
    forget: '从列表中移除',
    forgetOf: '从列表中移除：{name}',
    finished: '完成',
    cancelled: '已取消',
    starting: '正在启动…',
    export: '导出 {subject}',
    parity: '比较 {subject} 的回答',
    exporting: '{form}：{done} / {total} 个张量',
    loading: '正在加载 {name}',
    answering: '正在询问 {name}：{done} / {total} 个提示',
    source: '此训练',
  },
};
