/** Every text of the studio, a file a noun. Other languages have the same keys, which the compiler checks. */
import { access } from './access.ts';
import { address } from './address.ts';
import { alerts } from './alerts.ts';
import { answers } from './answers.ts';
import { batch } from './batch.ts';
import { chat } from './chat.ts';
import { compare } from './compare.ts';
import { data } from './data.ts';
import { doctorRun } from './doctorRun.ts';
import { exports } from './exports.ts';
import { frame } from './frame.ts';
import { host } from './host.ts';
import { jobs } from './jobs.ts';
import { models } from './models.ts';
import { recipes } from './recipes.ts';
import { remarks } from './remarks.ts';
import { rowEditor } from './rowEditor.ts';
import { runs } from './runs.ts';
import { seeds } from './seeds.ts';
import { storage } from './storage.ts';

export const en = {
  ...access,
  ...alerts,
  ...address,
  ...answers,
  ...batch,
  ...chat,
  ...compare,
  ...data,
  ...doctorRun,
  ...exports,
  ...frame,
  ...host,
  ...jobs,
  ...models,
  ...recipes,
  ...remarks,
  ...rowEditor,
  ...runs,
  ...seeds,
  ...storage,
};

export type Messages = typeof en;
