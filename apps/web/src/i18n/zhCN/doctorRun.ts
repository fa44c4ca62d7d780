import type { RunFindingCode } from '@anneal/core/protocol/diagnoses';
import type { Messages } from '../en/index.ts';

export const doctorRun: Pick<Messages, 'doctorRun'> = {
  doctorRun: {
    about: '根据这次训练的记录，列出看起来有问题的地方，最严重的在前。',
    goesOn: '训练仍在进行：以下只针对目前为止的记录。',
    away: '无法连接代理。恢复连接后会继续检查。',
    begins: '正在开始…',
    events: '正在读取日志…',
    rows: '正在检查数据行…',
    texts: '正在检查模板和回答的结尾…',
    cancel: '取消',
    look: '检查这次训练',
    again: '重新检查',
    healthy: '没有发现问题。',
    findings: '{count} 个问题',
    change: '对配方的修改，以及命令行中的相应写法',
    inEditor: '带着此修改打开编辑器',
    differs: '{recipe} 与这次训练使用的不同：之后被修改过，或者训练启动时另有设置。',
    noRecipe: '所服务的文件夹中没有与这次训练内容或名称相同的配方，无法打开：请复制上面的内容。',
    unchecked: '未检查',
  },
};

/** What is found, and what to do. */
export const findings: Readonly<Record<RunFindingCode, readonly [what: string, next: string]>> = {
  diverged: [
    '训练变得不稳定：权重离开了模型表现良好的区域',
    '请将学习率降为四分之一，并裁剪梯度；点击图中的某一步可以查看它的数据行',
  ],
  loss_does_not_fall: [
    '模型没有从这些数据行中学到东西',
    '请把学习率调到常用的值；如果已是常用值，请检查回答是否与提示对应，以及模型是否早已掌握这些内容',
  ],
  too_few_steps: [
    '训练在学到东西之前就结束了：数据行太少，更新次数也太少',
    '请使用更多数据，减少每步的行数，或增加训练轮数',
  ],
  reward_does_not_rise: [
    '回答的奖励没有上升',
    '请为每个提示采样更多回答，选择模型偶尔能答对的提示，或对部分正确的回答给予奖励；也可以提高学习率或增加步数',
  ],
  overfitted: [
    '模型记住了训练数据：在留出的数据行上反而变差',
    '请保留最佳检查点，并减少训练轮数；混入一部分通用数据可以更好地保持模型原有的能力',
  ],
  known_by_heart: [
    '数据行几乎已被背下来，而且没有留出数据来检验模型的其他能力',
    '请留出一部分数据行，并减少训练轮数，或使用更多数据',
  ],
  leakage: ['留出的数据行也出现在训练数据中：验证损失的参考价值有限', '请对相同的行去重，并从其他来源留出数据'],
  rows_dropped: ['许多数据行完全没有参与训练', '请在这次训练的 data/dropped.jsonl 中查看原因'],
  rows_cut: [
    '许多回答被截断：模型会学成中途停下，或永不停止',
    '请增大 sequence_len，或丢弃过长的行：excess_length_strategy: drop',
  ],
  nearly_all_masked: [
    '数据行中几乎没有内容参与训练',
    '请在数据页面查看哪些词元参与训练：要训练的角色以及提示和回答所在的列是否正确',
  ],
  end_not_learned: [
    '模型没有学会结束回答：表示停止的词元没有参与训练',
    '请训练每一轮的结尾，并使用与模型结束方式一致的模板',
  ],
  foreign_template: [
    '所用的对话模板不是模型原本的模板：模型要先学习另一套轮次标记',
    '请去掉 chat_template，使用模型自带的模板',
  ],
  duplicates: ['许多数据行内容相同：模型看到它们的次数多于训练轮数', '请对相同或近似的行去重'],
  answers_cut: [
    '大多数回答在结束前就被截断：奖励只评判了开头，模型也学不会停下',
    '请给回答更多空间，奖励较短的回答，或用 trl.mask_truncated_completions: true 让被截断的回答不计入损失',
  ],
  answers_loop: [
    '回答以循环结束：模型反复说同样的内容',
    '请检查数据行是否自我重复、结尾是否参与训练，以及训练是否过久：更早的检查点可能更好',
  ],
};
