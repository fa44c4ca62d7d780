/** Files that go to the agent in parts: an upload that broke off goes on where it was, also after the page was closed. */
import type { ToldProblem } from '../i18n/problems.tsx';
import { agentPath } from './paths.ts';

/** Within the 30 seconds that a request may take, on a line of a megabyte a second. */
const partBytes = 16 << 20;
const retryMilliseconds = [500, 1000, 2000, 5000, 5000, 10_000, 10_000, 30_000, 30_000, 60_000];

export interface UploadNews {
  onProgress(sent: number, size: number): void;
  onDone(key: string): void;
  onError(error: ToldProblem): void;
}

/** @param folder of the workspace, by its key. @returns how to end it, which removes what has arrived */
export async function sendFile(file: File, folder: string, news: UploadNews): Promise<() => void> {
  const { Upload } = await import('tus-js-client');
  const upload = new Upload(file, {
    endpoint: agentPath('/api/uploads'),
    chunkSize: partBytes,
    retryDelays: retryMilliseconds,
    metadata: { filename: file.name, folder },
    // A file that was written since is another one.
    fingerprint: async () => `anneal ${folder} ${file.name} ${file.size} ${file.lastModified}`,
    removeFingerprintOnSuccess: true,
    onProgress: (sent, size) => news.onProgress(sent, size),
    onSuccess: ({ lastResponse }) => news.onDone(JSON.parse(lastResponse.getBody()).key),
    onError: (error) => news.onError(shownOf(error)),
    // What the agent has refused it refuses again.
    onShouldRetry: (error) => {
      const status = error.originalResponse?.getStatus() ?? 0;
      return status < 400 || status === 423 || (status >= 500 && status !== 507);
    },
  });
  const [earlier] = await upload.findPreviousUploads();
  if (earlier) upload.resumeFromPreviousUpload(earlier);
  upload.start();
  return () => void upload.abort(true);
}

function shownOf(error: Error): ToldProblem {
  const body = (error as { originalResponse?: { getBody(): string } | null }).originalResponse?.getBody();
  try {
    return JSON.parse(body ?? '').error;
  } catch {
    return { what: error.message };
  }
}
