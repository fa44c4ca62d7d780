export interface PartedAnswer {
  /** What was thought, without its tags; null where nothing was. */
  readonly thinking: string | null;
  /** The end of what was said; empty while the model still thinks. */
  readonly answer: string;
}

const [OPEN, CLOSE] = ['<think>', '</think>'];
const ANALYSIS = '<|channel|>analysis<|message|>';

/**
 * Parts what a model said into its thoughts and its answer: between <think> and </think>, or in the channels of gpt-oss.
 * @param prompt what the model was given, which may end with the opening; without it a thought is known by its closing
 */
export function partThinking(said: string, prompt = ''): PartedAnswer {
  const before = prompt.trimEnd();
  const inChannels = partChannels(before.endsWith(ANALYSIS) ? ANALYSIS + said : said);
  if (inChannels !== null) return inChannels;
  const isOpen = before.endsWith(OPEN) || said.trimStart().startsWith(OPEN);
  const end = said.indexOf(CLOSE);
  if (end < 0 && !isOpen) return { thinking: null, answer: said };
  const thinking = (end < 0 ? said : said.slice(0, end)).replace(/^\s*<think>/, '');
  return { thinking, answer: end < 0 ? '' : said.slice(end + CLOSE.length) };
}

/** Of messages in channels: a call of a tool stays whole; null where there are none. */
function partChannels(said: string): PartedAnswer | null {
  const analysis = /(?:<\|start\|>assistant)?<\|channel\|>analysis<\|message\|>([^]*?)(?:<\|end\|>|$)/y;
  const thoughts: string[] = [];
  let from = 0;
  for (let found = analysis.exec(said); found; found = analysis.exec(said)) {
    thoughts.push(found[1] ?? '');
    from = analysis.lastIndex;
  }
  const rest = said.slice(from);
  if (thoughts.length === 0 && !/^<\|(?:channel|start)\|>/.test(rest)) return null;
  const thinking = thoughts.length > 0 ? thoughts.join('\n') : null;
  // A header that was cut is no answer yet.
  const answer = rest.includes('<|message|>')
    ? rest.replace(/^(?:<\|start\|>assistant)?<\|channel\|>final<\|message\|>/, '')
    : '';
  return { thinking, answer };
}
