/** The README.md of a model repository: what the model is, what it was made of and how, and how it is used. */
import { stringify } from 'yaml';
import type { RunMeasures } from '../protocol/runs.ts';

export interface CardFacts {
  /** `owner/name`. */
  repository: string;
  /** Of the run, or of what was exported. */
  name: string;
  form: 'lora' | 'merged' | 'gguf';
  /** Of the weights, as it was asked for; null for an adapter. */
  type: string | null;
  base: {
    /** As the hub names it; null for a model of this machine, which nobody else can fetch. */
    id: string | null;
    license: string | null;
  };
  files: readonly { path: string; bytes: number; sha256: string }[];
  /** How much of the adapter's effect it has: 1 as it was trained. */
  adapterScale: number;
  /** GGUF types that were quantized by an importance matrix: its file, or the tokens of the run's own rows. */
  imatrix: readonly { type: string; file: string | null; tokens: number | null }[];
  /** null for a model that is none of a run. */
  run: CardRun | null;
  /** How its answers compare with those of the run; null where nobody compared them. */
  parity: { agreeing: number; tokens: number } | null;
}

export interface CardRun {
  id: string;
  step: number;
  /** Every setting, as YAML, without paths of this machine. */
  recipe: string;
  /** SHA-256 of what the run was made from. */
  hashes: { model: string; data: string; template: string; tokenizer: string } | null;
  /** What preparation found; null where that is not on record any more. */
  data: {
    kept: number;
    tokens: number;
    targetTokens: number;
    files: readonly { name: string; bytes: number; sha256: string }[];
  } | null;
  measures: RunMeasures;
  /** Rows of a table, oldest first. */
  curve: readonly CurvePoint[];
}

export interface CurvePoint {
  step: number;
  /** Mean since the point before; null where one was not finite, or none was recorded. */
  loss: number | null;
  learningRate: number | null;
  validationLoss: number | null;
}

/** The same facts make the same text. */
export function modelCard(facts: CardFacts): string {
  const { run } = facts;
  const sections = [
    frontMatter(facts),
    `# ${plain(facts.name)}`,
    introduction(facts),
    `## How to use it\n\n${usage(facts)}`,
    ...(run ? [`## Training\n\n${training(run)}`, `## Evaluation\n\n${evaluation(run, facts.parity)}`] : []),
    `## Files\n\n${table(
      ['File', 'Bytes', 'SHA-256'],
      facts.files.map(({ path, bytes, sha256 }) => [`\`${path}\``, String(bytes), `\`${sha256}\``]),
    )}`,
    ...(run ? [`## Recipe\n\nEvery setting of the run, defaults included.\n\n${fenced('yaml', run.recipe)}`] : []),
  ];
  return `${sections.join('\n\n')}\n`;
}

function frontMatter({ form, base }: CardFacts): string {
  const relation = { lora: 'adapter', merged: 'finetune', gguf: 'quantized' }[form];
  const head = {
    ...(base.license !== null && { license: base.license }),
    ...(base.id !== null && { base_model: base.id, base_model_relation: relation }),
    ...(form === 'lora' && { library_name: 'peft' }),
    ...(form === 'merged' && { library_name: 'transformers' }),
    pipeline_tag: 'text-generation',
    tags: ['anneal', ...(form === 'merged' ? [] : [form])],
  };
  return `---\n${stringify(head)}---`;
}

function introduction({ form, base, run, adapterScale, imatrix }: CardFacts): string {
  const what = {
    lora: 'A LoRA adapter (PEFT)',
    merged: 'A fine-tuned model',
    gguf: 'GGUF files of a fine-tuned model',
  }[form];
  const of = base.id === null ? 'a model that is not on a hub' : `[${base.id}](https://huggingface.co/${base.id})`;
  const license =
    base.license === null
      ? 'Its license is not recorded: look it up before you use this.'
      : `License of the base: ${base.license}.`;
  const from = run ? `, step ${run.step} of the run \`${run.id}\`` : '';
  const scale =
    adapterScale === 1
      ? ''
      : ` The adapter has ${adapterScale} of the effect it was trained to (its alpha is multiplied).`;
  return `${what}, made with Anneal from ${of}${from}.${scale}${importance(imatrix)} ${license}`;
}

function importance(imatrix: CardFacts['imatrix']): string {
  const sources = Map.groupBy(imatrix, ({ file, tokens }) =>
    file === null ? `of ${tokens} tokens of the rows it was trained on` : `of \`${plain(file)}\``,
  );
  const parts = [...sources].map(([source, types]) => {
    const names = types.map(({ type }) => plain(type.toUpperCase())).join(', ');
    return ` ${names}: quantized by an importance matrix ${source}.`;
  });
  return parts.join('');
}

function usage({ form, type, repository, base, files }: CardFacts): string {
  if (form === 'gguf') return ggufUsage(repository, files);
  const load =
    form === 'merged'
      ? [
          ...(type?.startsWith('nf4') ? ['# Its linears have 4 bits: pip install bitsandbytes accelerate'] : []),
          'from transformers import AutoModelForCausalLM, AutoTokenizer',
          '',
          `name = ${JSON.stringify(repository)}`,
          'model = AutoModelForCausalLM.from_pretrained(name, torch_dtype="auto")',
        ]
      : [
          'from peft import PeftModel',
          'from transformers import AutoModelForCausalLM, AutoTokenizer',
          '',
          `name = ${JSON.stringify(repository)}`,
          `base = AutoModelForCausalLM.from_pretrained(${JSON.stringify(base.id ?? 'the base model')}, torch_dtype="auto")`,
          'model = PeftModel.from_pretrained(base, name)',
        ];
  return fenced(
    'python',
    [
      ...load,
      'tokenizer = AutoTokenizer.from_pretrained(name)',
      'messages = [{"role": "user", "content": "Who are you?"}]',
      'prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)',
      'answer = model.generate(**prompt, max_new_tokens=200)',
      'print(tokenizer.decode(answer[0][prompt["input_ids"].shape[1]:], skip_special_tokens=True))',
    ].join('\n'),
  );
}

function ggufUsage(repository: string, files: CardFacts['files']): string {
  const file = files.find(({ path }) => path.endsWith('.gguf'))?.path ?? 'model.gguf';
  const name = repository.split('/')[1] ?? repository;
  const fetched = `hf download ${repository} --local-dir ${name}`;
  const llama = `With llama.cpp:\n\n${fenced('sh', `llama-cli -hf ${repository} -hff ${file}`)}`;
  if (!files.some(({ path }) => path === 'Modelfile')) return llama;
  const ollama = `${fetched}\ncd ${name} && ollama create ${name.toLowerCase()} -f Modelfile && ollama run ${name.toLowerCase()}`;
  return `${llama}\n\nWith Ollama; the Modelfile has the chat template and the sampling:\n\n${fenced('sh', ollama)}`;
}

function training({ data, hashes, measures, curve }: CardRun): string {
  const { steps, tokens, tokensPerSecond } = measures;
  const speed = tokensPerSecond === null ? '' : ` at ${Math.round(tokensPerSecond)} tokens/s`;
  const parts = [
    `${steps} steps over ${tokens} tokens${speed}.`,
    data
      ? `The data: ${data.kept} rows, ${data.tokens} tokens, of which ${data.targetTokens} are learned from.`
      : 'What its data were is not on record any more.',
  ];
  const files = (data?.files ?? []).map(({ name, bytes, sha256 }) => [
    `\`${plain(name)}\``,
    String(bytes),
    `\`${sha256}\``,
  ]);
  const locks = Object.entries(hashes ?? {}).map(([name, sha256]) => [name, `\`${sha256}\``]);
  const points = curve.map(({ step, loss, validationLoss, learningRate }) => [
    String(step),
    number(loss),
    number(validationLoss),
    learningRate === null ? '' : learningRate.toExponential(2),
  ]);
  return [
    parts.join(' '),
    ...(files.length > 0 ? [table(['Data', 'Bytes', 'SHA-256'], files)] : []),
    ...(locks.length > 0 ? [table(['Made from', 'SHA-256'], locks)] : []),
    ...(points.length > 0
      ? [
          'The loss is the mean over the recorded steps since the line before.',
          table(['Step', 'Loss', 'Validation loss', 'Learning rate'], points),
        ]
      : []),
  ].join('\n\n');
}

function evaluation({ measures }: CardRun, parity: CardFacts['parity']): string {
  const { loss, validationLoss, bestValidationLoss } = measures;
  const lines = [
    `- training loss, mean of the last steps: ${number(loss) || 'not recorded'}`,
    `- validation loss: ${number(validationLoss) || 'not measured'}`,
    ...(bestValidationLoss === null ? [] : [`- best validation loss up to this step: ${number(bestValidationLoss)}`]),
    parity
      ? `- the same answers as the run, token by token: ${parity.agreeing} of ${parity.tokens} agree`
      : '- its answers were not compared with those of the run',
  ];
  return lines.join('\n');
}

function number(value: number | null): string {
  return value === null ? '' : value.toFixed(4);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** A fence that the text cannot end. */
function fenced(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text.trimEnd()}\n${fence}`;
}

/** A name as text of one line, whatever it holds. */
function plain(text: string): string {
  return text.replace(/[\p{C}\s`|<>[\]\\]+/gu, ' ').trim();
}
