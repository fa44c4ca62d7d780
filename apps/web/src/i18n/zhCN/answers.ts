export const answers = {
  answers: {
    place: '对 {prompts} 个提示的 {answers} 个回答，平均奖励 {reward}',
    loading: '正在查找回答',
    prompts: '此步的提示',
    answers: '对此提示的回答，最好的在前',
    keys: 'J、K：其他提示。Esc：关闭。',
    meanReward: '其回答的平均奖励',
    equal: '所有回答的奖励相同：无法从此提示学到任何东西。',
    reward: '奖励',
    advantage: '优势',
    tokens: '词元',
    end: '结束',
    cut: '被截断',
    silent: '没有输出任何内容。',
    colored: '颜色：优势，同一回答的每个词元都相同',
  },
};
