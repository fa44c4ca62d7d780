import type { SightTexts } from '@anneal/core/protocol/sights';
import type { UnseenTexts } from '../sights.tsx';

/** What the doctor of runs has seen. */
export const sights: SightTexts = {
  not_finite: ({ step }) => `第 ${step} 步：损失或梯度范数不是有限值`,
  loss_rose: ({ lowest, last }) => `损失曾降到 ${lowest}，最后为 ${last}`,
  rate_and_clipping: ({ rate, norm }) => `学习率为 ${rate}，${norm === 0 ? '没有裁剪梯度' : `梯度范数裁剪到 ${norm}`}`,
  mean_loss: ({ first, last, steps }) => `平均损失：最初几步 ${first}，最后几步 ${last}（共 ${steps} 步）`,
  rate: ({ rate }) => `学习率为 ${rate}`,
  unusual_rate: ({ rate, usual, adapter }) =>
    `学习率为 ${rate}；此类${adapter === '' ? '全量训练' : 'LoRA'}通常用 ${usual}`,
  steps_in_all: ({ steps, passes, batch }) => `数据过 ${passes} 遍，每步 ${batch} 行，总共只有 ${steps} 步`,
  mean_reward: ({ first, last, steps }) => `平均奖励：最初几步 ${first}，最后几步 ${last}（共 ${steps} 步）`,
  equal_rewards: ({ share }) => `${share} 的提示，其所有回答得到相同的奖励：从中学不到任何东西`,
  held_out_loss: ({ step, lowest, last }) => `留出数据行的损失在第 ${step} 步最低，为 ${lowest}，最后为 ${last}`,
  passes: ({ best, all }) => `那时数据过了 ${best} 遍，总共 ${all} 遍`,
  known_loss: ({ first, last, passes }) => `平均损失：开始时 ${first}，结束时 ${last}，数据过了 ${passes} 遍`,
  held_out_rows_trained: ({ rows, exact, near }) =>
    `${rows} 个留出的数据行中，${exact} 个原样出现在训练数据中，${near} 个几乎相同`,
  equal_rows: ({ equal, rows, share }) => `${rows} 个数据行中有 ${equal} 个（${share}）与更早的行相同`,
  near_rows: ({ pairs, compared }) => `在 ${compared} 个数据行中，有 ${pairs} 对只差几个词`,
  dropped: ({ dropped, rows, reasons, kept }) =>
    `${rows} 个数据行中舍弃了 ${dropped} 个（${reasons}），保留 ${kept} 个`,
  cut: ({ cut, rows, share, length, longest }) =>
    `${rows} 个数据行中有 ${cut} 个（${share}）超过 sequence_len ${length}；最长的有 ${longest} 个词元`,
  targets: ({ targets, tokens, share, perRow }) =>
    `${tokens} 个词元中有 ${targets} 个（${share}）计入损失：每行 ${perRow} 个`,
  without_end: ({ rows, of }) => `${of} 个训练的数据行中，有 ${rows} 个的结尾不是参与训练的结束词元`,
  template: ({ template }) => `chat_template 为 ${template}；模型有自己的模板`,
  cut_answers: ({ share, length }) => `最后几步的回答中有 ${share} 在 max_completion_length ${length} 处被截断`,
  loops: ({ loops, samples, step }) => `第 ${step} 步的 ${samples} 个示例回答中有 ${loops} 个如此`,
  loop: ({ prompt, unit }) => `对“${prompt}”的回答反复出现“${unit}”`,
};

/** What it could not look at, and why. */
export const unseen: UnseenTexts = {
  ending: ['训练本来会如何结束', () => '训练失败'],
  curve: ['曲线', ({ steps, fewest }) => `只记录了 ${steps} 步，少于 ${fewest} 步`],
  other_rows: ['训练数据以外的数据行', () => '没有留出数据行'],
  answers: ['回答', () => '配方中没有 sample_prompts'],
  rows: ['数据行', () => '这次训练没有准备好的数据'],
  texts: ['模板和结束词元', () => '无法打开模型'],
};
