import type { EventOf } from '../protocol/events.ts';
import { isNotFinite } from './curves.ts';

/** What a run recorded of its steps, in columns, for there may be millions; each step once. NaN: not finite, or not measured. */
export class RecordedSteps {
  readonly #step: number[] = [];
  readonly #epoch: number[] = [];
  readonly #loss: number[] = [];
  readonly #reward: number[] = [];
  readonly #equalShare: number[] = [];
  readonly #cutShare: number[] = [];
  #firstNotFinite: number | undefined;

  add(event: EventOf<'step'>): void {
    this.#step.push(event.step);
    this.#epoch.push(event.epoch);
    this.#loss.push(event.loss ?? Number.NaN);
    this.#reward.push(event.reward ?? Number.NaN);
    this.#equalShare.push(event.equalShare ?? Number.NaN);
    this.#cutShare.push(event.cutShare ?? Number.NaN);
    if (isNotFinite(event)) this.#firstNotFinite ??= event.step;
  }

  /** Forgets what a later launch repeats. */
  dropAfter(step: number): void {
    const length = this.#step.findLastIndex((recorded) => recorded <= step) + 1;
    const columns = [this.#step, this.#epoch, this.#loss, this.#reward, this.#equalShare, this.#cutShare];
    for (const column of columns) column.length = length;
    if (this.#firstNotFinite !== undefined && this.#firstNotFinite > step) this.#firstNotFinite = undefined;
  }

  get count(): number {
    return this.#step.length;
  }

  /** 0 before the first. */
  get lastStep(): number {
    return this.#step.at(-1) ?? 0;
  }

  /** Passes over the data until a step; until the last by default. */
  epochs(step = this.lastStep): number {
    return this.#epoch[this.#step.findLastIndex((recorded) => recorded <= step)] ?? 0;
  }

  /** The first step whose loss or gradient is not finite. */
  get firstNotFinite(): number | undefined {
    return this.#firstNotFinite;
  }

  /** Those that are finite. */
  losses(): number[] {
    return this.#loss.filter(Number.isFinite);
  }

  /** Those that were measured. */
  rewards(): number[] {
    return this.#reward.filter(Number.isFinite);
  }

  /** Of each step the share of prompts whose answers have the same reward; 0 where it was not measured. */
  equalShares(): number[] {
    return this.#equalShare.map((share) => (Number.isNaN(share) ? 0 : share));
  }

  /** Of each step that sampled answers the share of them that were cut. */
  cutShares(): number[] {
    return this.#cutShare.filter(Number.isFinite);
  }
}
