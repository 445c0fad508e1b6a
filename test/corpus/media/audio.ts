// Replays the recorded speech and transcripts: each recorded request reaches the provider as it was recorded, and each recorded
// answer comes back: byte by byte where the provider's dialect is the client's, else with its text, its times and its usage.
// Arguments: part of an id.
import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject } from '../../../src/ir/index.ts';
import { type Answer, type FakeUpstream, json, startUpstream, stream } from '../../fakes/upstream.ts';
import { startTestServer } from '../../server.ts';
import { type Recording, recordings } from '../recordings.ts';
import { end, runReplay, type Stage } from './replay.ts';

/** Presets by the corpus's names of providers, and the model where a recording names none. */
const PRESETS: Readonly<Record<string, string>> = {
  openai: 'whisper-1',
  groq: 'whisper-large-v3',
  mistral: 'voxtral-mini-latest',
  openrouter: '',
  cohere: '',
  xai: 'grok-tts',
  deepgram: 'nova-3-general',
};

interface Part {
  readonly name: string;
  readonly text?: string;
  readonly filename?: string;
  readonly contentType?: string;
  readonly bytes?: number;
}

type Request = Recording['request'] & { readonly multipart?: readonly Part[] };
type Response = Recording['response'] & {
  readonly binary?: boolean;
  readonly bodyBase64?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

const objectOf = (value: unknown): JsonObject => (isObject(value as never) ? (value as JsonObject) : {});

/** Sound in place of what the recordings have left out: bytes that survive as text. */
const sound = (bytes: number): string => 'RIFF\x04\x00\x00\x00WAVEfmt '.padEnd(Math.min(bytes, 100_000), '.');

/** Why a recording shows nothing of these abilities. */
function leftOut({ provider }: Recording): string | undefined {
  return PRESETS[provider] === undefined ? 'no preset' : undefined;
}

/** What was recorded, with the answer's own bytes where they are there. */
function answerOf(response: Response): { readonly answer: Answer; readonly bytes: Buffer | undefined } {
  const { sse, body, bodyText, binary, bodyBase64, headers, status } = response;
  const type = headers?.['content-type'] ?? 'application/json';
  if (sse) return { answer: stream(sse, type), bytes: Buffer.from(sse.join('')) };
  if (binary === true) {
    const bytes = bodyBase64 === undefined ? Buffer.from('ID3 a stand-in') : Buffer.from(bodyBase64, 'base64');
    return { answer: stream([bytes.subarray(0, 7), bytes.subarray(7)], type), bytes };
  }
  // One recorder wrapped what it saw.
  const inner = objectOf(body);
  const wrapped = typeof inner['body'] === 'string' && inner['status'] === 200 ? inner : undefined;
  const text = wrapped ? String(wrapped['body']) : (bodyText ?? JSON.stringify(body));
  const wrappedType = wrapped ? String(objectOf(wrapped['headers'])['content-type'] ?? type) : type;
  return { answer: json(text, status, { 'content-type': wrappedType }), bytes: Buffer.from(text) };
}

/** The parts of the recorded form; where it was not kept, one of file and model. */
function partsOf({ request }: Recording): readonly Part[] {
  const parts = (request as Request | null)?.multipart;
  return parts ?? [{ name: 'file', filename: 'a.wav', contentType: 'audio/wav', bytes: 1000 }];
}

async function sentForm(upstream: FakeUpstream): Promise<JsonObject> {
  const seen = upstream.seen.at(-1);
  const body = new Uint8Array(Buffer.from(seen?.body ?? ''));
  const form = await new Response(body, { headers: { 'content-type': seen?.headers['content-type'] ?? '' } }).formData();
  return Object.fromEntries([...form].map(([name, value]) => [name, typeof value === 'string' ? value : `@${value.name} ${value.size}`]));
}

async function transcriptionProblems(recording: Recording, { server, upstream }: Stage, isModelFirst: boolean): Promise<readonly string[]> {
  const { provider, endpoint, request, response } = recording;
  const { answer, bytes } = answerOf(response as Response);
  upstream.answer = answer;
  const model = recording.model ?? PRESETS[provider] ?? '';
  const parts = partsOf(recording);
  const form = new FormData();
  if (isModelFirst) form.append('model', `${provider}/${model}`);
  for (const { name, text, filename = 'a.wav', contentType, bytes: length } of parts) {
    if (name === 'model') continue;
    if (text !== undefined) form.append(name, text);
    else form.append(name, new Blob([sound(length ?? 1000)], { type: contentType ?? '' }), filename);
  }
  if (!isModelFirst) form.append('model', `${provider}/${model}`);
  const path = endpoint.endsWith('translations') ? '/v1/audio/translations' : '/v1/audio/transcriptions';
  const got = await fetch(server.url + path, { method: 'POST', headers: { authorization: `Bearer ${server.key}` }, body: form });
  const text = Buffer.from(await got.arrayBuffer());
  const problems: string[] = [];
  if (got.status !== response.status) problems.push(`status ${got.status}: ${text.toString().slice(0, 200)}`);
  const expected = Object.fromEntries(
    parts.map((part) => [part.name, part.text ?? `@${part.filename ?? 'a.wav'} ${Math.min(part.bytes ?? 1000, 100_000)}`]),
  );
  const sent = await sentForm(upstream);
  if (!isDeepStrictEqual(sent, { ...expected, model })) problems.push(`another form: ${JSON.stringify(sent)}`);
  if (request && upstream.seen.at(-1)?.path !== request.path) problems.push(`asked at ${upstream.seen.at(-1)?.path}`);
  const isOwn = objectOf(response.body)['usage'] === undefined || provider !== 'mistral' || parts.some(({ name }) => name === 'diarize');
  if (isOwn ? bytes?.equals(text) !== true : objectOf(JSON.parse(text.toString()))['text'] !== objectOf(response.body)['text']) {
    problems.push(`another answer: ${text.toString().slice(0, 200)}`);
  }
  return problems;
}

/** Recordings of a provider whose address says what is asked: its answer is told in OpenAI's shape. */
async function listenProblems({ request, response }: Recording, { server, upstream }: Stage): Promise<readonly string[]> {
  upstream.answer = json(response.body);
  const query = new URL(request?.path ?? '', 'http://x').searchParams;
  const isDiarized = query.has('diarize_model');
  const form = new FormData();
  form.append('file', new Blob([sound(1000)], { type: 'audio/wav' }), 'a.wav');
  form.append('model', `deepgram/${query.get('model') ?? ''}`);
  if (query.has('language')) form.append('language', query.get('language') ?? '');
  form.append('response_format', isDiarized ? 'diarized_json' : 'verbose_json');
  const headers = { authorization: `Bearer ${server.key}` };
  const got = await fetch(`${server.url}/v1/audio/transcriptions`, { method: 'POST', headers, body: form });
  const said = (await got.json()) as JsonObject;
  const results = objectOf(objectOf(response.body)['results']);
  const [channel] = results['channels'] as readonly JsonObject[];
  const [best] = objectOf(channel)['alternatives'] as readonly JsonObject[];
  const problems: string[] = [];
  if (said['text'] !== best?.['transcript']) problems.push(`another text: ${JSON.stringify(said).slice(0, 200)}`);
  const places = (list: unknown): readonly unknown[] => (list as readonly JsonObject[]).map(({ start, end }) => [start, end]);
  if (!isDeepStrictEqual(places(said['segments']), places(results['utterances']))) problems.push('other times');
  const sent = new URL(upstream.seen.at(-1)?.path ?? '', 'http://x').searchParams;
  const same = ['model', 'language', 'smart_format', 'utterances'].every((name) => sent.get(name) === query.get(name));
  if (!same) problems.push(`asked at ${upstream.seen.at(-1)?.path}`);
  return problems;
}

async function speechProblems(recording: Recording, { server, upstream }: Stage): Promise<readonly string[]> {
  const { provider, request, response } = recording;
  const { answer, bytes } = answerOf(response as Response);
  upstream.answer = answer;
  const { text, ...recorded } = { ...request?.body };
  // A model that stands in the address.
  const inPath = new URL(request?.path ?? '', 'http://x').searchParams.get('model');
  const model = recording.model ?? inPath ?? PRESETS[provider] ?? '';
  const more = inPath === null ? {} : { response_format: 'wav' };
  const body = { ...recorded, ...more, ...(text === undefined ? {} : { input: text }), model: `${provider}/${model}` };
  const got = await fetch(`${server.url}/v1/audio/speech`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const said = Buffer.from(await got.arrayBuffer());
  const problems: string[] = [];
  if (bytes?.equals(said) !== true) problems.push(`status ${got.status}, other bytes: ${said.toString().slice(0, 200)}`);
  const type = (response as Response).headers?.['content-type'];
  if (got.headers.get('content-type') !== type) problems.push(`type ${got.headers.get('content-type')}, recorded ${type}`);
  const sent = JSON.parse(upstream.seen.at(-1)?.body ?? '{}') as JsonObject;
  // The format is said always, also where the usual one was recorded by leaving it out.
  const { response_format: _, ...rest } = sent;
  const { response_format: __, ...asked } = { ...request?.body } as JsonObject;
  if (text === undefined && !isDeepStrictEqual(rest, asked)) problems.push(`another request: ${JSON.stringify(sent)}`);
  const [asks, path] = [upstream.seen.at(-1)?.path.split('?')[0], request?.path.split('?')[0]];
  if (asks !== path) problems.push(`asked at ${upstream.seen.at(-1)?.path}`);
  return problems;
}

/** Which recordings are of speech. */
const isSpeech = ({ endpoint }: Recording): boolean => /speech|tts|speak/.test(endpoint);

async function replay(corpus: string, only: string): Promise<boolean> {
  const upstream = await startUpstream();
  const providers = Object.fromEntries(Object.keys(PRESETS).map((preset) => [preset, { preset, baseUrl: upstream.url, key: 'k' }]));
  const server = await startTestServer({ providers });
  const stage: Stage = { server, upstream };
  let failed = 0;
  let count = 0;
  const out: string[] = [];
  for (const recording of recordings(corpus, 'audio')) {
    if (!recording.id.includes(only)) continue;
    const why = leftOut(recording);
    if (why !== undefined) {
      out.push(`  ${recording.id}: ${why}`);
      continue;
    }
    count++;
    const problems = isSpeech(recording)
      ? await speechProblems(recording, stage)
      : recording.endpoint.includes('listen')
        ? await listenProblems(recording, stage)
        : [...(await transcriptionProblems(recording, stage, true)), ...(await transcriptionProblems(recording, stage, false))];
    if (problems.length > 0) failed++;
    for (const problem of problems) process.stdout.write(`✗ ${recording.id}  ${problem}\n`);
  }
  process.stdout.write(`audio: ${count} replayed, ${out.length} left out\n${out.map((line) => `${line}\n`).join('')}`);
  return end(stage, failed);
}

await runReplay(replay);
