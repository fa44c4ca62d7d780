import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeWith, peerTokenizer, type TokenizerFamily } from '../../test/peers.ts';
import { openTokenizer } from '../tokenizers/tokenizer.ts';
import type { GoldenTemplates } from '../verify/verifyTemplates.ts';
import { openTemplate, TemplateError } from './template.ts';

/** What transformers' apply_chat_template and the tokenizers library give, made by test/golden/make_templates.py. */
const read = (folder: string, family: string): GoldenTemplates =>
  JSON.parse(
    readFileSync(new URL(`../../test/golden/${folder}/${family}.json`, import.meta.url), 'utf8'),
  ) as GoldenTemplates;

const families: readonly TokenizerFamily[] = ['qwen3', 'llama3_1', 'gemma3', 'deepseek_v3', 'llama2'];

for (const family of families) {
  const folder = await peerTokenizer(family);
  describeWith(folder, `${family} as transformers has it`, (found) => {
    const tokenizer = openTokenizer(found);
    const goldens = [read('templates', family), read('templates-heldout', family)];

    it('encodes and decodes every text', async () => {
      for (const { text, ids, with_special: withSpecial, decoded } of goldens.flatMap((golden) => golden.texts)) {
        expect([...(await tokenizer.encode(text)).ids]).toEqual(ids);
        expect([...(await tokenizer.encodeWithSpecial(text)).ids]).toEqual(withSpecial);
        expect(await tokenizer.decode(withSpecial, { skipSpecial: true })).toBe(decoded);
      }
    });

    const cases = goldens.flatMap((golden) => golden.cases.map((row) => ({ ...row, now: new Date(golden.now) })));
    const renderable = cases.filter((row) => row.rendered !== undefined || row.error !== undefined);
    it.skipIf(renderable.length === 0).each(renderable)('$case', async (row) => {
      const template = openTemplate(tokenizer.chatTemplate as string, {
        bos: tokenizer.bos?.text,
        eos: tokenizer.eos?.text,
      });
      const render = (): string =>
        template.render(row.messages, {
          addGenerationPrompt: row.add_generation_prompt ?? false,
          tools: row.tools ?? null,
          enableThinking: row.enable_thinking,
          now: row.now,
        });
      if (row.error !== undefined) {
        expect(render).toThrow(new TemplateError(row.error));
        return;
      }
      expect(render()).toBe(row.rendered);
      expect([...(await tokenizer.encode(render())).ids]).toEqual(row.ids);
    });
  });
}
