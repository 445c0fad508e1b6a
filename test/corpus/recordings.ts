import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JsonObject, ProtocolId } from '../../src/ir/index.ts';

/** One recorded exchange with a real provider, as the corpus stores it. */
export interface Recording {
  readonly id: string;
  readonly protocol: string;
  readonly provider: string;
  readonly endpoint: string;
  readonly model: string | null;
  readonly stream: boolean;
  readonly source: { readonly fidelity?: { readonly request?: string; readonly response?: string } };
  readonly request: { readonly path: string; readonly body?: JsonObject; readonly bodyText?: string; readonly bodyIndent?: number } | null;
  readonly response: {
    readonly status: number;
    readonly body?: unknown;
    readonly bodyText?: string;
    readonly sse?: readonly string[];
    readonly bodyBase64?: string;
  };
}

/** The corpus folder: `$PAILOU_CORPUS`, else beside the project; `undefined` where there is none. */
export function corpusFolder(): string | undefined {
  const folder = process.env['PAILOU_CORPUS'] ?? resolve(import.meta.dirname, '../../../shared/corpus');
  return existsSync(join(folder, 'INDEX.tsv')) ? folder : undefined;
}

/** The corpus's folder names and our protocols. */
export const FOLDERS: readonly (readonly [string, ProtocolId])[] = [
  ['openai-chat', 'openai-chat'],
  ['openai-responses', 'openai-responses'],
  ['anthropic-messages', 'anthropic-messages'],
  ['gemini-generate', 'gemini'],
];

/** Every recording of one folder. */
export function* recordings(corpus: string, folder: string): Iterable<Recording> {
  const at = join(corpus, folder);
  for (const file of readdirSync(at).toSorted()) {
    if (file.endsWith('.json')) yield JSON.parse(readFileSync(join(at, file), 'utf8')) as Recording;
  }
}

/** The recorded body of a request as an object, with what its path says (Gemini, deployments of Azure, Vertex) put where the decoder looks for it. */
export function requestBody(recording: Recording): JsonObject | undefined {
  const { request } = recording;
  if (!request) return undefined;
  const body = request.body ?? (request.bodyText ? (JSON.parse(request.bodyText) as JsonObject) : undefined);
  if (!body) return undefined;
  if (recording.protocol !== 'gemini-generate') return { model: recording.model ?? 'm', ...body };
  const model = /models\/([^:?]+)/.exec(request.path)?.[1] ?? recording.model ?? 'gemini';
  return { ...body, model: decodeURIComponent(model), stream: recording.endpoint === 'streamGenerateContent' };
}
