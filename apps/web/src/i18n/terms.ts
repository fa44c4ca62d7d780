/** Words that newcomers do not know, as they stand in the explanations of recipe keys and above charts, and what they mean. */
import type { Locale } from './locale.tsx';

export type Term = Readonly<Record<Locale, { word: string; meaning: string }>>;

const term = (word: string, meaning: string, chinese: string, inChinese: string): Term => ({
  en: { word, meaning },
  'zh-CN': { word: chinese, meaning: inChinese },
});

/** `word` is a regular expression of all its forms. Where two begin at one place, the earlier one is meant. */
export const terms: readonly Term[] = [
  term(
    'chat template',
    'The text that a model expects around each message of a conversation, such as marks of who speaks.',
    '对话模板',
    '模型期望的对话格式：每条消息前后的标记，例如谁在说话。',
  ),
  term(
    '[Tt]okens?',
    'The pieces that a model reads and writes: often a word or a part of one.',
    '词元',
    '模型读写的单位，通常是一个词或词的一部分。',
  ),
  term('epochs?', 'One pass through all training rows.', '轮数|一轮|每轮', '完整经过一次全部训练数据。'),
  term(
    'optimizer steps?',
    'One change of the weights, after the gradients of a batch.',
    '优化步',
    '根据一个批次的梯度对权重进行的一次更新。',
  ),
  term('effective batch size', 'How many rows one step learns from.', '有效批大小', '一步所学习的行数。'),
  term(
    '[Mm]icro-batch(?:es)?',
    'Rows that are computed at once. Several of them can make one step, which saves memory.',
    '微批次',
    '一次计算的若干行。多个微批次可以组成一步，从而节省内存。',
  ),
  term(
    '[Ff]ull fine-tuning',
    'Training every weight of the model. It can learn most and takes most memory.',
    '全量微调',
    '训练模型的全部权重。学得最多，占用内存也最多。',
  ),
  term(
    'adapter',
    'A small set of new weights beside those of the model, which stay as they are. It is trained with little memory and kept in a small file.',
    '适配器',
    '模型权重之外的一小组新权重，原权重保持不变。训练占用内存少，文件也小。',
  ),
  term(
    '[Ll]earning rate',
    'How far each step moves the weights. Too high and the loss jumps; too low and little is learned.',
    '学习率',
    '每一步移动权重的幅度。过高损失会跳动，过低则学得很少。',
  ),
  term(
    'warm-up',
    'The first steps, in which the learning rate rises from 0: the beginning is where training breaks most easily.',
    '预热',
    '最初的若干步，学习率从 0 升起：训练在开头最容易不稳定。',
  ),
  term(
    '[Vv]alidation loss',
    'The loss on rows that are not trained. When it rises while the loss falls, the model memorizes.',
    '验证损失',
    '在未训练的数据上的损失。当损失下降而它上升时，模型是在死记。',
  ),
  term(
    '[Ll]oss',
    'How far the predictions of the model are from the rows: lower is nearer.',
    '损失',
    '模型的预测与数据相差多少：越低越接近。',
  ),
  term(
    '[Gg]radient norm',
    'How strongly the rows of a step pull at the weights. Where it jumps, look at the rows of that step.',
    '梯度范数',
    '这一步的数据对权重的牵引有多强。如果它突然升高，请查看这一步的数据行。',
  ),
  term(
    '[Gg]radients?',
    'For each weight, in which direction the loss falls.',
    '梯度',
    '每个权重朝哪个方向变化会使损失下降。',
  ),
  term(
    '[Cc]heckpoints?',
    'A state of the run on the disk, from which it can go on or be exported.',
    '检查点',
    '保存在磁盘上的运行状态，可以从它继续或导出。',
  ),
  term(
    '(?:NF4|4 bits)',
    'Weights rounded to 16 values each: about a quarter of the memory, with little loss of quality.',
    'NF4|4 位',
    '把权重舍入到 16 个值：内存约为四分之一，质量损失很小。',
  ),
  term(
    'bfloat16',
    'Numbers of 16 bits: half the memory of float32, with fewer digits.',
    'bfloat16',
    '16 位数：内存是 float32 的一半，位数较少。',
  ),
  term('EOS token', 'The token that ends an answer.', '回合结束词元', '表示回答结束的词元。'),
  term(
    '[Aa]ctivations',
    'What each layer computes on the way and the backward pass needs again.',
    '激活值',
    '每一层计算的中间结果，反向传播还要用到。',
  ),
  term(
    'MLP',
    'The part of each layer that works on one token at a time; attention lets tokens look at one another.',
    'MLP',
    '每层中逐个处理词元的部分；注意力让词元相互参照。',
  ),
];
