export const answers = {
  answers: {
    place: '{answers} answers to {prompts, plural, one {# prompt} other {# prompts}}, mean reward {reward}',
    loading: 'Looking up the answers',
    prompts: 'Prompts of this step',
    answers: 'Answers to this prompt, the best first',
    keys: 'J and K: other prompts. Escape: close.',
    meanReward: 'Mean reward of its answers',
    equal: 'All answers have the same reward: nothing is learned from this prompt.',
    reward: 'Reward',
    advantage: 'Advantage',
    tokens: 'Tokens',
    end: 'End',
    cut: 'cut',
    silent: 'It said nothing.',
    colored: 'Color: the advantage, the same for each token of an answer',
  },
};
