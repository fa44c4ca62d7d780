/** What takes room on the disk, and what of it can be given back. Browser-safe. */
import { z } from 'zod';
import { errorSchema } from './events.ts';
import { storageKinds } from './storageKinds.ts';

export const storageItemSchema = z.object({
  /** Names it to `clean`. */
  id: z.string(),
  kind: z.enum(storageKinds),
  /** For people: a run, a model, a file. */
  name: z.string(),
  bytes: z.number().min(0),
  /** It can be given back without losing what a run needs. */
  removable: z.boolean(),
});
export type StorageItem = z.infer<typeof storageItemSchema>;

export const storageSurveySchema = z.object({
  items: z.array(storageItemSchema),
  /** On the disk of the runs. */
  free: z.number().min(0),
});
export type StorageSurvey = z.infer<typeof storageSurveySchema>;

/** As a studio knows it. */
export interface StudioStorageItem extends StorageItem {
  /** The key of the run that restoring it brings back; null where it is none in the trash. */
  restores: string | null;
}

/** Where to look. */
export const storageRequest = z.strictObject({
  /** Folders of runs, with their trash. */
  runsFolders: z.array(z.string().min(1)).readonly(),
  /** Data files that lie where recipes do. */
  files: z
    .array(z.object({ path: z.string().min(1), name: z.string() }))
    .readonly()
    .default([]),
  /** The folder that holds uploads which are not whole; null for none. */
  uploads: z.string().min(1).nullable().default(null),
});
export type StorageRequest = z.input<typeof storageRequest>;

export const cleanStorageRequest = storageRequest.extend({
  items: z.array(z.string().min(1)).min(1).max(10_000).readonly(),
});
export type CleanStorageRequest = z.input<typeof cleanStorageRequest>;

export const cleanedStorageSchema = z.object({
  /** Bytes. */
  freed: z.number().min(0),
  removed: z.array(storageItemSchema),
  /** What could not be removed, and stays. */
  kept: z.array(z.object({ item: storageItemSchema, error: errorSchema })),
});
export type CleanedStorage = z.infer<typeof cleanedStorageSchema>;
