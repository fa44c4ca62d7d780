import { describe, expect, it } from 'vitest';
import { openFormat } from './formats/index.ts';
import { proposeMapping } from './proposeMapping.ts';

const proposed = (...rows: Record<string, unknown>[]) => proposeMapping(rows).mapping;

describe('a mapping of columns', () => {
  it('is what `type: auto` finds, where it finds one', () => {
    expect(proposeMapping([{ question: 'a', answer: 'b' }])).toMatchObject({
      mapping: { type: 'alpaca', field_instruction: 'question', field_output: 'answer' },
      isKnown: true,
    });
  });

  it.each([
    [
      { 'User Question': 'Why?', expert_answer: 'So.', id: 'x' },
      { field_instruction: 'User Question', field_output: 'expert_answer' },
    ],
    [
      { customerQuery: 'Why?', agentReply: 'So.', Context: 'There.' },
      { field_instruction: 'customerQuery', field_output: 'agentReply', field_input: 'Context' },
    ],
    [
      { en: 'Good day', de: 'Guten Tag, wie geht es?' },
      { field_instruction: 'en', field_output: 'de' },
    ],
  ])('finds question and answer in %j', (row, fields) => {
    const result = proposeMapping([row]);
    expect(result.isKnown).toBe(false);
    expect(result.mapping).toEqual({ type: 'alpaca', ...fields });
  });

  it('finds conversations under other names, with their roles', () => {
    const talk = [
      { speaker: 'customer', utterance: 'Hi' },
      { speaker: 'agent', utterance: 'Hello' },
    ];
    expect(proposed({ id: 1, talk }, { id: 2, talk: JSON.stringify(talk) })).toEqual({
      type: 'chat_template',
      field_messages: 'talk',
      message_property_mappings: { role: 'speaker', content: 'utterance' },
      roles: { user: ['customer'], assistant: ['agent'] },
    });
  });

  it('proposes nothing where nothing is likely, and says what there is', () => {
    const { mapping, columns } = proposeMapping([{ x: 1, y: null, name: 'a', place: 'b', code: 'c' }]);
    expect(mapping).toBeNull();
    expect(columns.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'x number',
      'y empty',
      'name text',
      'place text',
      'code text',
    ]);
  });

  it('can be read', () => {
    const row = { 'User Question': 'Why?', expert_answer: 'So.' };
    const mapping = proposed(row);
    const fields = { fieldInstruction: mapping?.field_instruction ?? null, fieldOutput: mapping?.field_output ?? null };
    expect(openFormat('alpaca', [row], fields, 'rows').read(row)).toMatchObject({
      messages: [{ content: 'Why?' }, { content: 'So.' }],
    });
  });
});
