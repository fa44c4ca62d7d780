import { afterEach, expect, test, vi } from 'vitest';
import { ForeignProcess } from '../foreignProcess.ts';
import { TableDatabase } from './tableDatabase.ts';

afterEach(() => vi.restoreAllMocks());

const one = { kind: 'query', sql: 'SELECT 1' } as const;

test('closing one that is at work ends its process, and the next has another', async () => {
  const database = await TableDatabase.open(0);
  const endless = database.ask({ kind: 'query', sql: 'SELECT count(*) FROM range(10000000000) a, range(1000) b' });
  database.close();
  await expect(endless).rejects.toThrow('DuckDB failed on it: its process ended');
  const next = await TableDatabase.open(0);
  expect(await next.ask(one)).toEqual([[1]]);
  next.close();
});

test('a process that is idle serves the next, by a connection of its own', async () => {
  const first = await TableDatabase.open(0);
  await first.ask({ kind: 'query', sql: 'CREATE TEMP TABLE kept AS SELECT 1' });
  first.close();
  const end = vi.spyOn(ForeignProcess.prototype, 'end');
  const next = await TableDatabase.open(0);
  await expect(next.ask({ kind: 'query', sql: 'FROM kept' })).rejects.toThrow('kept');
  expect(end).not.toHaveBeenCalled();
  next.close();
});

test('a database that does not open leaves no process', async () => {
  const ended: boolean[] = [];
  const end = ForeignProcess.prototype.end;
  vi.spyOn(ForeignProcess.prototype, 'end').mockImplementation(function (this: ForeignProcess) {
    end.call(this);
    ended.push(!this.isRunning);
  });
  vi.spyOn(ForeignProcess.prototype, 'ask').mockRejectedValueOnce(new Error('no memory'));
  await expect(TableDatabase.open(0)).rejects.toThrow('no memory');
  expect(ended).toEqual([true]);
});
