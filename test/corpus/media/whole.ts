// Replays the recorded embeddings, reranks and moderations: each recorded reply comes out of every client shape with the
// same vectors, scores and usage, each recorded error with the status that its client knows. Arguments: part of an id.
import { isDeepStrictEqual } from 'node:util';
import { isObject, type Json, type JsonObject } from '../../../src/ir/index.ts';
import { json, startUpstream } from '../../fakes/upstream.ts';
import { startTestServer } from '../../server.ts';
import { type Recording, recordings } from '../recordings.ts';
import { end, runReplay, type Stage } from './replay.ts';

/** Presets by the corpus's names of providers; `local` recordings are of servers of OpenAI's dialect, and of Ollama's own. */
const PRESETS: Readonly<Record<string, string>> = {
  openai: 'openai',
  openrouter: 'openrouter',
  perplexity: 'perplexity',
  local: 'openai-compatible',
  ollama: 'ollama',
  gemini: 'gemini',
  vertex: 'vertex',
  cohere: 'cohere',
  voyage: 'voyage',
};

/** Models where a recording names none. */
const USUAL: Readonly<Record<string, string>> = {
  cohere: 'embed-v4.0',
  gemini: 'gemini-embedding-001',
  voyage: 'voyage-3-lite',
  openrouter: 'openai/text-embedding-3-small',
};

/** Recordings that show nothing of these abilities, and why. */
function leftOut({ request, response }: Recording): string | undefined {
  if (request?.path.includes('/organization/usage/')) return 'a report of usage, no call';
  const { body } = response;
  const embeddings = isObject(body) ? body['embeddings'] : undefined;
  if (isObject(embeddings) && embeddings['float'] === undefined) return 'bytes were asked for, which the gateway does not do';
  return undefined;
}

interface Got {
  readonly status: number;
  readonly body: JsonObject;
}

async function post({ server }: Stage, path: string, body: JsonObject): Promise<Got> {
  const answer = await fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as JsonObject };
}

const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});
const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);

/** The numbers that a recorded value stands for, read without the gateway's own code. */
function numbers(value: Json | undefined, int8: boolean): readonly number[] {
  if (typeof value !== 'string') return listOf(value) as readonly number[];
  const bytes = Buffer.from(value, 'base64');
  if (int8) return Array.from(bytes, (byte) => (byte > 127 ? byte - 256 : byte));
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
}

/** Vectors wherever a provider's reply has them. */
function vectorsIn(body: JsonObject, int8 = false): readonly (readonly number[])[] {
  const { data, embeddings, embedding, predictions } = body;
  const float = objectOf(embeddings)['float'];
  const places: readonly (readonly (Json | undefined)[])[] = [
    listOf(data).map((one) => objectOf(one)['embedding']),
    listOf(float),
    listOf(embeddings).map((one) => (isObject(one) ? one['values'] : one)),
    listOf(predictions).map((one) => objectOf(objectOf(one)['embeddings'])['values']),
    isObject(embedding) ? [embedding['values']] : [],
  ];
  return (places.find((list) => list.length > 0) ?? []).map((value) => numbers(value, int8));
}

/** Tokens wherever a reply has them. */
function tokensIn(body: JsonObject): number | undefined {
  const billed = objectOf(objectOf(body['meta'])['billed_units']);
  const statistics = listOf(body['predictions']).map((one) => objectOf(objectOf(objectOf(one)['embeddings'])['statistics'])['token_count']);
  const found = [
    objectOf(body['usage'])['prompt_tokens'],
    objectOf(body['usage'])['total_tokens'],
    objectOf(body['usageMetadata'])['promptTokenCount'],
    billed['input_tokens'],
    body['prompt_eval_count'],
    statistics[0],
  ];
  return found.find((one) => typeof one === 'number');
}

const rounded = (vectors: readonly (readonly number[])[]): readonly (readonly number[])[] =>
  vectors.map((vector) => vector.map((value) => Math.fround(value)));

/** What a client must be told of a recorded error. */
function* errorProblems(where: string, recorded: number, got: Got): Iterable<string> {
  const expected = [401, 402, 403].includes(recorded) ? 502 : recorded;
  if (got.status !== expected) yield `${where}: status ${got.status} for a recorded ${recorded}`;
  if (got.body['error'] === undefined && got.body['detail'] === undefined) yield `${where}: no error in the envelope`;
}

async function embeddingsProblems(recording: Recording, stage: Stage): Promise<readonly string[]> {
  const { response, request } = recording;
  const isOllama = request?.path === '/api/embed';
  const provider = isOllama ? 'ollama' : recording.provider;
  const body = objectOf(response.body);
  // A model that no provider has is not known to embed either: the error is that of a model that is.
  const named = /models\/([^:?/]+):/.exec(request?.path ?? '')?.[1] ?? recording.model ?? undefined;
  const own = (response.status >= 400 ? USUAL[provider] : undefined) ?? named ?? USUAL[provider] ?? 'm';
  const model = `${provider}/${own}`;
  const expected = vectorsIn(body, provider === 'perplexity');
  const texts = Array.from({ length: Math.max(1, expected.length) }, (_, at) => `text ${at}`);
  const problems: string[] = [];
  const told = (where: string, got: Got, exact: boolean): void => {
    if (response.status >= 400) return void problems.push(...errorProblems(where, response.status, got));
    if (got.status !== 200) return void problems.push(`${where}: status ${got.status}: ${JSON.stringify(got.body).slice(0, 200)}`);
    const int8 = provider === 'perplexity' && typeof objectOf(listOf(got.body['data'])[0])['embedding'] === 'string' && exact;
    const vectors = vectorsIn(got.body, int8);
    if (!isDeepStrictEqual(exact ? vectors : rounded(vectors), exact ? expected : rounded(expected)))
      problems.push(`${where}: other vectors`);
    const tokens = tokensIn(body);
    const said = tokensIn(got.body);
    if (tokens === undefined ? (said ?? 0) !== 0 : said !== tokens) problems.push(`${where}: ${said} tokens, recorded ${tokens}`);
  };
  // Ollama has OpenAI's dialect too: its own is asked where vectors must be base64.
  if (!isOllama) told('openai', await post(stage, '/v1/embeddings', { model, input: texts }), true);
  told('openai, base64', await post(stage, '/v1/embeddings', { model, input: texts, encoding_format: 'base64' }), false);
  const requests = texts.map((text) => ({ content: { parts: [{ text }] } }));
  told('gemini', await post(stage, `/v1beta/models/${model}:batchEmbedContents`, { requests }), true);
  if (texts.length === 1) told('gemini, one', await post(stage, `/v1beta/models/${model}:embedContent`, requests[0] ?? {}), true);
  return problems;
}

async function rerankProblems(recording: Recording, stage: Stage): Promise<readonly string[]> {
  const { provider, response, request, model } = recording;
  const body = objectOf(response.body);
  const asked = objectOf(request?.body);
  const scores = listOf(body['results'] ?? body['data']).map((one) => [objectOf(one)['index'], objectOf(one)['relevance_score']]);
  const sent = { model: `${provider}/${model}`, query: asked['query'] ?? '', documents: asked['documents'] ?? [], top_n: scores.length };
  const units = objectOf(objectOf(body['meta'])['billed_units'])['search_units'] ?? objectOf(body['usage'])['search_units'];
  const problems: string[] = [];
  for (const path of ['/v1/rerank', '/v2/rerank']) {
    const got = await post(stage, path, sent);
    const results = listOf(got.body['results']).map((one) => [objectOf(one)['index'], objectOf(one)['relevance_score']]);
    if (got.status !== 200 || !isDeepStrictEqual(results, scores)) problems.push(`${path}: ${got.status}, other results`);
    const usage = path === '/v1/rerank' ? objectOf(got.body['usage']) : objectOf(objectOf(got.body['meta'])['billed_units']);
    const said = usage['search_units'] ?? usage['total_tokens'] ?? usage['input_tokens'];
    if (said !== (units ?? tokensIn(body))) problems.push(`${path}: usage ${JSON.stringify(usage)}`);
  }
  return problems;
}

async function moderationsProblems(recording: Recording, stage: Stage): Promise<readonly string[]> {
  const { provider, response, request } = recording;
  const { input = 'x', model } = objectOf(request?.body);
  const problems: string[] = [];
  const bodies: readonly (readonly [string, string, JsonObject])[] = [
    ['as it is', '/v1/moderations', { model: `${provider}/${typeof model === 'string' ? model : 'omni-moderation-latest'}`, input }],
    ['read', `/${provider}/v1/moderations`, { input }],
  ];
  for (const [where, path, body] of bodies) {
    const got = await post(stage, path, body);
    if (response.status >= 400) problems.push(...errorProblems(where, response.status, got));
    else if (!isDeepStrictEqual(got.body, response.body)) problems.push(`${where}: another reply`);
  }
  return problems;
}

const KINDS = { embeddings: embeddingsProblems, rerank: rerankProblems, moderations: moderationsProblems } as const;

async function replay(corpus: string, only: string): Promise<boolean> {
  const upstream = await startUpstream();
  const providers = Object.fromEntries(
    Object.entries(PRESETS).map(([name, preset]) => {
      const settings = preset === 'vertex' ? { settings: { project: 'p' }, region: 'global' } : {};
      return [name, { preset, baseUrl: upstream.url, key: 'k', ...settings }];
    }),
  );
  const server = await startTestServer({ providers });
  const stage: Stage = { server, upstream };
  let failed = 0;
  for (const [folder, problemsOf] of Object.entries(KINDS)) {
    let count = 0;
    const out: string[] = [];
    for (const recording of recordings(corpus, folder)) {
      if (!recording.id.includes(only)) continue;
      const why = leftOut(recording);
      if (why !== undefined) out.push(`  ${recording.id}: ${why}`);
      if (why !== undefined) continue;
      count++;
      const { status, body, bodyText } = recording.response;
      upstream.answer = json(bodyText ?? body, status);
      const problems = await problemsOf(recording, stage);
      if (problems.length > 0) failed++;
      for (const problem of problems) process.stdout.write(`✗ ${recording.id}  ${problem}\n`);
    }
    process.stdout.write(`${folder}: ${count} replayed, ${out.length} left out\n${out.map((line) => `${line}\n`).join('')}`);
  }
  return end(stage, failed);
}

await runReplay(replay);
