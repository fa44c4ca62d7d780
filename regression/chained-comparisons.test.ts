// Of `1 < x < 5` the evaluator of chat templates compared a truth value with 5: the prompt was another than in transformers.
import { expect, test } from 'vitest';
import { openTemplate } from '../packages/core/src/templates/template.ts';

/** Each text was printed by Jinja 3.1. */
test.each([
  ['{{ 1 < 3 < 2 }} {{ 3 > 2 > 1 }} {{ 0 <= 5 < 5 }} {{ -3 < -2 < -1 < 0 }}', 'False True False True'],
  ['{% for i in range(6) %}{% if 1 <= i < 4 %}{{ i }}{% endif %}{% endfor %}', '123'],
  ['{{ "a" < "b" < "c" }} {{ (1 < 2) == (2 < 3) }} {{ (1 > 2) != (2 < 3) }}', 'True True True'],
])('%s', (source, expected) => {
  expect(openTemplate(source, {}).render([])).toBe(expected);
});
