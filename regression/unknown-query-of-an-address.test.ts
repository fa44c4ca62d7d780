/** What an address asked that nobody knew was left unread: a misspelled filter downloaded all rows, the second of two runs was dropped. */
import { expect, it } from 'vitest';
import { makePlace, paired, start } from '../apps/agent/test/helpers/daemon.ts';

it('is refused by name, and so is what stands there twice', async () => {
  const daemon = await start(makePlace());
  const cookie = await paired(daemon);
  const ask = async (address: string) => {
    const answer = await fetch(`${daemon.url}${address}`, { headers: { cookie } });
    return [answer.status, await answer.text()];
  };
  for (const [address, what] of [
    ['/api/data/rows?file=rows.jsonl&filters=problem', '\\"filters\\" , which'],
    ['/api/runs/steps?run=a&run=b', '\\"run\\" twice'],
    ['/api/runs/comparison?run=a&run=b&step', '\\"step\\", which'],
    ['/api/runs/comparison?run=a&run=b&steps=no', 'takes no value'],
    ['/api/exports/download?run=a&exports=b', '\\"exports\\", which'],
    ['/api/session?x', '\\"x\\", which'],
    ['/metrics?x=1', '\\"x\\", which'],
    ['/v1/models?x=1', "Unknown query parameter: 'x'"],
  ] as const) {
    expect([address, ...(await ask(address))]).toEqual([
      address,
      400,
      expect.stringContaining(what.replace(' ,', ',')),
    ]);
  }
  // Pages have names of their own.
  expect((await ask('/?run=a&tab=chart'))[0]).toBe(200);
});
