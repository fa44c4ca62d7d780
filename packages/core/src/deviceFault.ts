import { diskFull } from '@anneal/formats/files/diskFull';
import { AddonFault } from '@anneal/kernels/addon';
import { UserError } from './errors.ts';

/** The driver no longer reaches the GPU, or no longer trusts it. */
const lost = new Set([
  'cudaErrorContained',
  'cudaErrorDeviceUninitialized',
  'cudaErrorDevicesUnavailable',
  'cudaErrorECCUncorrectable',
  'cudaErrorNoDevice',
  'cudaErrorNvlinkUncorrectable',
  'cudaErrorSystemDriverMismatch',
  'cudaErrorSystemNotReady',
  'cudaErrorUnknown',
]);

/** What a drive answers that is broken, or gone, or whose server is. */
const storageFaults = new Set(['EBADMSG', 'EIO', 'ENODEV', 'ENXIO', 'EREMOTEIO', 'ESTALE', 'EUCLEAN']);
const forbidden = new Set(['EACCES', 'EPERM', 'EROFS']);

/**
 * The failure of a GPU, of a drive, or of the addon, or what the system does not allow, as something a person can act on; null for any other error. Native texts of such failures name the op or what
 * was done, and end with CUDA's own name of the error in brackets. After one the process can no longer use the GPU; others can.
 * @param run its folder, where one was going on; its checkpoints stay as they are
 */
export function deviceFault(error: unknown, run?: string): UserError | null {
  if (error instanceof AddonFault) {
    return new UserError({
      what: error.message,
      where: error.path,
      next: 'build it: run `npm run build` in the repository; it needs a C++17 compiler and CMake',
      code: 'addon_not_built',
      cause: error,
    });
  }
  const again =
    run === undefined ? 'start it again' : 'resume the run: it goes on from its last checkpoint, with the same bits';
  const text = error instanceof Error ? error.message : '';
  const { code, path, dest } = (error ?? {}) as NodeJS.ErrnoException & { dest?: string };
  const full = diskFull(error);
  if (full) {
    const next = `free some space, then ${again}`;
    return new UserError({ what: full, where: dest ?? path ?? run, next, code: 'disk_full', cause: error });
  }
  if (code !== undefined && forbidden.has(code) && path !== undefined) {
    return new UserError({
      what: `the system does not allow it: ${text}`,
      where: dest ?? path,
      next: `make it readable, and where it is written writable, for this user; then ${again}`,
      code: 'file_not_permitted',
      cause: error,
    });
  }
  if (code !== undefined && storageFaults.has(code)) {
    return new UserError({
      what: `a file cannot be read or written, the system says: ${text}`,
      where: path ?? run,
      next: `look at its disk or network drive and at the kernel's log (dmesg); then ${again}`,
      code: 'storage_failed',
      cause: error,
    });
  }
  const name = /\((cudaError\w+)\)$/.exec(text)?.[1];
  if (name === undefined) return null;
  if (name === 'cudaErrorMemoryAllocation') {
    return new UserError({
      what: `the GPU has no memory left: ${text}`,
      where: run,
      next: `end what else uses the GPU (nvidia-smi lists it), or lower sequence_len or micro_batch_size; then ${again}`,
      code: 'out_of_memory',
      cause: error,
    });
  }
  if (lost.has(name)) {
    return new UserError({
      what: `the GPU was lost: ${text}`,
      where: run,
      next: `look at nvidia-smi and at the kernel's log (dmesg, lines with Xid), reset the GPU or restart the host; then ${again}`,
      code: 'gpu_lost',
      cause: error,
    });
  }
  return new UserError({
    what: `the GPU failed: ${text}`,
    where: run,
    next: `${again}; if it fails there again, report it with this text`,
    code: 'gpu_failed',
    cause: error,
  });
}
