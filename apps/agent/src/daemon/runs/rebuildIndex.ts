/** Makes anew what an agent keeps of the runs, of the runs themselves. */
import { rmSync } from 'node:fs';
import { RunQueue } from '../../service/queue/runQueue.ts';
import { AgentState } from '../agentState.ts';
import { Workspace } from '../workspace.ts';
import { RunFeeds } from './feeds.ts';
import { historiesFolder, KeptHistories } from './keptHistories.ts';
import { indexPath, RunIndex, removeIndex } from './runIndex.ts';

export interface RebuiltIndex {
  folder: string;
  runs: number;
  /** By their keys: of these nothing is kept. */
  damaged: { run: string; what: string }[];
}

/** @param folder that an agent serves, or one below it. @throws UserError `agent_not_running`, `agent_running` */
export async function rebuildIndex(folder: string, log: (text: string) => void): Promise<RebuiltIndex> {
  const state = AgentState.above(folder);
  const lock = state.lock();
  try {
    const path = indexPath(state.folder);
    removeIndex(path);
    rmSync(historiesFolder(state.folder), { recursive: true, force: true });
    const index = new RunIndex(path, log);
    const workspace = new Workspace(state.workspace, state.lastServed().runsFolder);
    const feeds = new RunFeeds(workspace, new RunQueue(state.folder), new KeptHistories(state.folder, log), index);
    const all = await feeds.all();
    index.close();
    const damaged = all.flatMap(({ key, error }) => (error ? [{ run: key, what: error.what }] : []));
    return { folder: state.workspace, runs: all.length, damaged };
  } finally {
    lock.release();
  }
}
