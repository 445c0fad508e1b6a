// Replays the recorded exchanges: `npm run test:corpus`. Every reply comes out of every client protocol with the same
// meaning, every request goes to every other protocol and back without loss beyond its notes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ChatRequest,
  createCollector,
  createGrammarCheck,
  createNotes,
  DEFAULT_FACTS,
  type Emit,
  GatewayError,
  type JsonObject,
  type ProtocolId,
  type Reply,
  type ReplyEvent,
  unfold,
} from '../../src/ir/index.ts';
import { restoreTools } from '../../src/exchange/restore-tools.ts';
import { clientCodecs, providerCodecs } from '../../src/protocols/index.ts';
import type { ClientCodec, ProviderCodec, ReplyContext, SourceContext } from '../../src/protocols/protocol.ts';
import { createSseReader, type SseFrame, sseText } from '../../src/wire/sse.ts';
import { replyEssence, type ReplyEssence, requestEssence } from './essence.ts';
import { allowedLoss, expectedStop, expectedText } from './expressible.ts';
import { corpusFolder, FOLDERS, type Recording, recordings, requestBody } from './recordings.ts';
import { streamProblem } from './wire-grammar.ts';

interface Failure {
  readonly id: string;
  readonly check: string;
  readonly why: string;
}

const known = JSON.parse(readFileSync(join(import.meta.dirname, 'known-failures.json'), 'utf8')) as Record<string, string>;
const only = process.argv[2];
const verbose = process.argv.includes('--all');

let serial = 0;
const newId = (prefix: string): string => `${prefix}${(serial++).toString(36).padStart(8, '0')}`;
const source = (maker: string): SourceContext => ({ maker, newId });

function codecsOf(id: ProtocolId): ClientCodec & ProviderCodec {
  return { ...(providerCodecs.get(id) as ProviderCodec), ...(clientCodecs.get(id) as ClientCodec) };
}
const CLIENTS = FOLDERS.map(([, id]) => codecsOf(id));

const plainRequest = (body: JsonObject | undefined, codec: ClientCodec, stream: boolean): ChatRequest => {
  if (body) {
    try {
      return { ...codec.decodeRequest(body), stream, includeUsage: true };
    } catch {
      // Its own check reports a request that cannot be read.
    }
  }
  return { model: 'm', instructions: [], turns: [], tools: [], stream, includeUsage: true };
};

function words(request: ChatRequest, body: JsonObject): ReplyContext {
  return { request, body, newId, now: () => 1_700_000_000, notes: createNotes() };
}

/** The recorded reply's events. */
function recordedEvents(recording: Recording, codec: ProviderCodec): ReplyEvent[] {
  const events: ReplyEvent[] = [];
  const emit: Emit = (event) => void events.push(event);
  if (recording.response.sse) {
    const decoder = codec.streamDecoder(source('corpus'));
    const reader = createSseReader();
    const onFrame = (frame: SseFrame): void => {
      if (!decoder.done) decoder.frame(frame, emit);
    };
    reader.push(Buffer.from(recording.response.sse.join('')), onFrame);
    reader.end(onFrame);
    decoder.end(emit);
    return events;
  }
  const body = recording.response.body ?? JSON.parse(recording.response.bodyText ?? 'null');
  unfold(codec.decodeReply((Array.isArray(body) ? { chunks: body } : body) as JsonObject, source('corpus')), emit);
  return events;
}

function grammarProblem(events: readonly ReplyEvent[]): string | undefined {
  const check = createGrammarCheck();
  for (const event of events) {
    const problem = check.next(event);
    if (problem) return problem;
  }
  return check.end();
}

function collected(events: readonly ReplyEvent[], tools: ChatRequest['tools']): Reply {
  const collector = createCollector();
  const emit = restoreTools(tools, (event) => collector.event(event));
  for (const event of events) emit(event);
  return collector.result().reply;
}

/** Differences between what was said and what came out, beyond what the client's dialect cannot say. */
function differences(before: ReplyEssence, after: ReplyEssence, client: ProtocolId): string[] {
  const wanted: ReplyEssence = { ...before, stop: expectedStop(client, before.stop), text: expectedText(client, before.text) };
  const found: string[] = [];
  for (const key of Object.keys(wanted) as (keyof ReplyEssence)[]) {
    if (key === 'input' || key === 'output' || key === 'cacheRead') {
      if (wanted[key] !== undefined && wanted[key] !== after[key])
        found.push(`${key}: ${String(wanted[key])} became ${String(after[key])}`);
    } else if (JSON.stringify(wanted[key]) !== JSON.stringify(after[key])) {
      found.push(`${key}: ${JSON.stringify(wanted[key]).slice(0, 160)} became ${JSON.stringify(after[key]).slice(0, 160)}`);
    }
  }
  return found;
}

function* replyFailures(recording: Recording, upstream: ProviderCodec & ClientCodec): Iterable<Failure> {
  const { id } = recording;
  const events = recordedEvents(recording, upstream);
  const problem = grammarProblem(events);
  if (problem) yield { id, check: 'decode', why: problem };
  const last = events.at(-1);
  if (last?.type === 'fault') return yield { id, check: 'decode', why: `fault: ${last.fault.message}` };
  const body = requestBody(recording);
  const request = plainRequest(body, upstream, recording.stream);
  const reply = collected(events, request.tools);
  const before = replyEssence(reply);
  for (const client of CLIENTS) {
    const context = words(request, client.id === upstream.id ? (body ?? {}) : {});
    const whole = client.decodeReply(client.encodeReply(reply, context), source('corpus'));
    for (const why of differences(before, replyEssence(whole), client.id)) yield { id, check: `whole → ${client.id}`, why };
    yield* streamFailures(id, client, context, events, before);
  }
}

function* streamFailures(
  id: string,
  client: ProviderCodec & ClientCodec,
  context: ReplyContext,
  events: readonly ReplyEvent[],
  before: ReplyEssence,
): Iterable<Failure> {
  const check = `stream → ${client.id}`;
  const encoder = client.streamEncoder(context);
  let text = '';
  const emit = restoreTools(context.request.tools, (event) => encoder.event(event, (data, name) => (text += sseText(data, name))));
  for (const event of events) emit(event);
  const frames: SseFrame[] = [];
  const reader = createSseReader();
  reader.push(Buffer.from(text), (frame) => frames.push(frame));
  reader.end((frame) => frames.push(frame));
  const wrong = streamProblem(client.id, frames);
  if (wrong) yield { id, check, why: wrong };
  const again: ReplyEvent[] = [];
  const decoder = client.streamDecoder(source('corpus'));
  for (const frame of frames) if (!decoder.done) decoder.frame(frame, (event) => void again.push(event));
  decoder.end((event) => void again.push(event));
  const problem = grammarProblem(again);
  if (problem) yield { id, check, why: `decoded again: ${problem}` };
  for (const why of differences(before, replyEssence(collected(again, [])), client.id)) yield { id, check, why };
}

function* requestFailures(recording: Recording, from: ClientCodec): Iterable<Failure> {
  const body = requestBody(recording);
  const { id } = recording;
  if (!body) return;
  const request = from.decodeRequest(body);
  const before = requestEssence(request);
  for (const target of CLIENTS) {
    const notes = createNotes();
    const facts = { ...DEFAULT_FACTS, ...target.facts };
    let sent: JsonObject;
    try {
      sent = target.encodeRequest(request, { model: request.model, facts, maker: 'corpus', notes });
    } catch (error) {
      // A refusal is honest when it names what cannot be said.
      if (error instanceof GatewayError && error.fault.kind === 'bad_request' && error.fault.param !== undefined) continue;
      throw error;
    }
    const back = requestEssence(target.decodeRequest(target.id === 'gemini' ? { ...sent, model: request.model, stream: false } : sent));
    for (const [field, value] of before) {
      const now = back.get(field);
      if (now === value || allowedLoss(field, value, now, notes.list)) continue;
      yield {
        id,
        check: `request → ${target.id}`,
        why: `${field}: ${value.slice(0, 200)} became ${(now ?? 'nothing').slice(0, 200)} (notes: ${notes.list.map((note) => note.field).join(' ')})`,
      };
    }
  }
}

const CHAT_ENDPOINTS = new Set(['messages', 'chat.completions', 'responses', 'generateContent', 'streamGenerateContent']);

function* failuresOf(recording: Recording, codec: ProviderCodec & ClientCodec): Iterable<Failure> {
  const guarded = function* (check: string, work: () => Iterable<Failure>): Iterable<Failure> {
    try {
      yield* work();
    } catch (error) {
      const why =
        error instanceof GatewayError
          ? `${error.fault.code ?? error.fault.kind}: ${error.message}`
          : error instanceof Error
            ? (error.stack ?? error.message).split('\n').slice(0, 3).join(' ')
            : String(error);
      yield { id: recording.id, check, why };
    }
  };
  const good = recording.response.status < 300;
  if (good) yield* guarded('reply', () => replyFailures(recording, codec));
  if (good) yield* guarded('request', () => requestFailures(recording, codec));
  if (!good && recording.response.status >= 400) yield* guarded('error', () => errorFailures(recording, codec));
}

function* errorFailures(recording: Recording, codec: ProviderCodec & ClientCodec): Iterable<Failure> {
  const { response, id } = recording;
  const text = response.sse?.join('') ?? response.bodyText ?? JSON.stringify(response.body ?? '');
  const fault = codec.decodeFault(response.status, text);
  if (fault.message.trim() === '') yield { id, check: 'error', why: 'no message' };
  for (const client of CLIENTS) {
    const written = client.encodeFault({ ...fault, status: response.status }, 'req_test');
    if (written.status < 400) yield { id, check: `error → ${client.id}`, why: `status ${written.status}` };
    if (!JSON.stringify(written.body).includes(JSON.stringify(fault.message).slice(1, -1)))
      yield { id, check: `error → ${client.id}`, why: 'the message is lost' };
  }
}

function main(): number {
  const corpus = corpusFolder();
  if (!corpus) {
    console.log('corpus: skipped (no corpus folder; set PAILOU_CORPUS)');
    return 0;
  }
  let bad = 0;
  let passed = 0;
  let leftOut = 0;
  for (const [folder, id] of FOLDERS) {
    let total = 0;
    let failed = 0;
    let excused = 0;
    for (const recording of recordings(corpus, folder)) {
      if (!CHAT_ENDPOINTS.has(recording.endpoint) || (only && !only.startsWith('--') && !recording.id.includes(only))) continue;
      total++;
      const failures = [...failuresOf(recording, codecsOf(id))];
      if (failures.length === 0) continue;
      if (known[recording.id] !== undefined) {
        excused++;
        continue;
      }
      failed++;
      for (const failure of failures.slice(0, verbose ? 100 : 2)) console.log(`${failure.id}  ${failure.check}: ${failure.why}`);
    }
    const tooMany = excused > total * 0.01;
    console.log(
      `${id}: ${total - failed - excused} of ${total} recordings pass, ${failed} fail, ${excused} left out as broken${tooMany ? ' (more than 1 %)' : ''}`,
    );
    bad += failed + (tooMany ? 1 : 0);
    passed += total - failed - excused;
    leftOut += excused;
  }
  console.log(`corpus: ${passed} passed, ${bad} failed, ${leftOut} skipped`);
  return bad > 0 ? 1 : 0;
}

process.exitCode = main();
