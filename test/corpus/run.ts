// Replays the recorded exchanges: `npm run test:corpus`. Every reply comes out of every client protocol with the same
// meaning, every request goes to every other protocol and back without loss beyond its notes, every error is the right
// fault, and what passes between equals passes byte by byte. Arguments: part of an id; --all: every failure of a
// recording; --notes: what notes and refusals answered for.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Fault, GatewayError, type JsonObject, kindOfStatus } from '../../src/ir/index.ts';
import { providerCodecs } from '../../src/protocols/index.ts';
import { relayProblem, renameProblem, wholeProblem } from './raw-bytes.ts';
import { isCall, isErrorRecording, isQueued, recordedEvents } from './recorded-reply.ts';
import { corpusFolder, FOLDERS, type Recording, recordings, requestBody } from './recordings.ts';
import { anyRequest, type Codec, codecOf, grammarProblem } from './replay.ts';
import { faultProblems, failureProblems, type Problem, type Replayed, replyProblems } from './reply-checks.ts';
import { oneWayProblems, requestProblems } from './request-checks.ts';
import { PLAIN, VENDORS } from './targets.ts';

const known = JSON.parse(readFileSync(join(import.meta.dirname, 'known-failures.json'), 'utf8')) as Record<string, string>;
const only = process.argv.slice(2).find((word) => !word.startsWith('--'));
const verbose = process.argv.includes('--all');
const CLIENTS = PLAIN.map(({ codec }) => codec);

/** How often a note or a refusal answered for a difference, by pair, field and note. */
const excuses = new Map<string, number>();

/** The recorded request, for what a reply to it needs to know; its own check reports one that cannot be read. */
function requestOf(body: JsonObject | undefined, codec: Codec, stream: boolean): Replayed['request'] {
  try {
    return body ? { ...codec.decodeRequest(body), stream, includeUsage: true } : anyRequest(stream);
  } catch {
    return anyRequest(stream);
  }
}

/** A reply is told to clients of every dialect; one that is cut off halfway never looks complete. */
function* replyFailures(recording: Recording, upstream: Codec): Iterable<Problem> {
  const body = requestBody(recording);
  const events = recordedEvents(recording, upstream);
  const problem = grammarProblem(events);
  if (problem !== undefined) yield { check: 'decode', why: problem };
  const replayed: Replayed = { upstream: upstream.id, events, request: requestOf(body, upstream, recording.stream), body: body ?? {} };
  const last = events.at(-1);
  if (last?.type === 'fault') {
    // A stream that a provider ended with an error of its own is a recorded error.
    if (last.fault.by === 'upstream' && isErrorRecording(recording)) yield* toldFault(last.fault, replayed);
    else yield { check: 'decode', why: `fault: ${last.fault.message}` };
    return;
  }
  for (const client of CLIENTS) {
    yield* replyProblems(client, replayed);
    yield* failureProblems(client, replayed, [0, 1, Math.floor(events.length / 2), events.length - 1]);
  }
}

function* toldFault(fault: Fault, replayed: Replayed): Iterable<Problem> {
  for (const client of CLIENTS) {
    yield* faultProblems(client, fault);
    yield* failureProblems(client, { ...replayed, events: replayed.events.slice(0, -1) }, [replayed.events.length - 1]);
  }
}

/** A recorded request is sent to providers of every dialect. */
function* requestFailures(recording: Recording, from: Codec): Iterable<Problem> {
  const body = requestBody(recording);
  if (!body) return;
  // A list of prompts is for an endpoint of the same kind only.
  if (Array.isArray(body['prompt']) && body['prompt'].length > 1) return;
  const request = from.decodeRequest(body);
  const excused = (to: string, field: string, by: string): void => {
    const key = `${from.id} → ${to}  ${field}: ${by}`;
    excuses.set(key, (excuses.get(key) ?? 0) + 1);
  };
  const converse = providerCodecs.get('bedrock-converse');
  if (converse) yield* oneWayProblems(request, converse, excused);
  for (const target of [...PLAIN, ...VENDORS.filter((one) => one.codec.id !== from.id)]) {
    yield* requestProblems(from.id, request, target, excused);
  }
}

/** An error body reads as the fault that its status means, and is told in every envelope. */
function* errorFailures({ response }: Recording, codec: Codec): Iterable<Problem> {
  const text = response.sse?.join('') ?? response.bodyText ?? JSON.stringify(response.body ?? '');
  const fault = codec.decodeFault(response.status, text);
  if (fault.message.trim() === '') yield { check: 'error', why: 'no message' };
  if (fault.message.endsWith('and no message') && text.length > 2 && !text.trimStart().startsWith('<'))
    yield { check: 'error', why: `not read: ${text.slice(0, 120)}` };
  const isKey = fault.kind === 'authentication' && response.status === 400 && fault.status === 401;
  if (fault.status !== response.status && !isKey) yield { check: 'error', why: `status ${fault.status}` };
  const usual = kindOfStatus(response.status);
  // Words may say more than a status: a used-up quota under 429, a wrong key under 400 (Gemini).
  const finer =
    (fault.kind === 'billing' && [403, 429].includes(response.status)) || (fault.kind === 'authentication' && response.status === 400);
  if (fault.kind !== usual && !finer) yield { check: 'error', why: `${response.status} is ${fault.kind}` };
  for (const client of CLIENTS) yield* faultProblems(client, fault);
}

/** Runs a check; what it throws is a failure too. */
function* guarded(check: string, work: () => Iterable<Problem>): Iterable<Problem> {
  try {
    yield* work();
  } catch (error) {
    const told = error instanceof GatewayError ? `${error.fault.code ?? error.fault.kind}: ${error.message}` : undefined;
    yield {
      check,
      why: told ?? (error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 4).join(' ') : String(error)),
    };
  }
}

function* replyOrError(recording: Recording, codec: Codec): Iterable<Problem> {
  try {
    yield* replyFailures(recording, codec);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.fault.by !== 'upstream' || !isErrorRecording(recording)) throw error;
    // A success that holds an error is one.
    for (const client of CLIENTS) yield* faultProblems(client, error.fault);
  }
}

function* failuresOf(recording: Recording, codec: Codec): Iterable<Problem> {
  const { status } = recording.response;
  if (status < 300) {
    if (!isQueued(recording)) yield* guarded('reply', () => replyOrError(recording, codec));
    yield* guarded('request', () => requestFailures(recording, codec));
    yield* guarded('raw', () => relayProblem(recording, codec));
    if (!isQueued(recording)) yield* guarded('raw reply', () => wholeProblem(recording, codec));
    yield* guarded('raw request', () => renameProblem(recording));
  } else if (status >= 400) yield* guarded('error', () => errorFailures(recording, codec));
}

interface Tally {
  total: number;
  failed: number;
  excused: number;
}

/** Replays the recordings of one dialect. */
function replay(corpus: string, folder: string, codec: Codec): Tally {
  const tally: Tally = { total: 0, failed: 0, excused: 0 };
  for (const recording of recordings(corpus, folder)) {
    if (!isCall(recording) || (only !== undefined && !recording.id.includes(only))) continue;
    tally.total++;
    const failures = [...failuresOf(recording, codec)];
    if (failures.length === 0) {
      if (known[recording.id] !== undefined) console.log(`${recording.id}  passes: take it off known-failures.json`);
      continue;
    }
    if (known[recording.id] !== undefined) {
      tally.excused++;
      continue;
    }
    tally.failed++;
    for (const failure of failures.slice(0, verbose ? 100 : 2)) console.log(`${recording.id}  ${failure.check}: ${failure.why}`);
  }
  return tally;
}

function main(): number {
  const corpus = corpusFolder();
  if (corpus === undefined) {
    console.log('corpus: skipped (no corpus folder; set PAILOU_CORPUS)');
    return 0;
  }
  let [passed, bad, leftOut] = [0, 0, 0];
  for (const [folder, id] of [...FOLDERS, ['completions', 'openai-completions'] as const]) {
    const codec = codecOf(id);
    const { total, failed, excused } = replay(corpus, folder, codec);
    const tooMany = excused > total * 0.01;
    const good = total - failed - excused;
    console.log(
      `${id}: ${good} of ${total} recordings pass, ${failed} fail, ${excused} left out as broken${tooMany ? ' (more than 1 %)' : ''}`,
    );
    bad += failed + (tooMany ? 1 : 0);
    passed += good;
    leftOut += excused;
  }
  if (process.argv.includes('--notes'))
    for (const [key, count] of [...excuses].toSorted()) console.log(`${String(count).padStart(5)}  ${key}`);
  console.log(`corpus: ${passed} passed, ${bad} failed, ${leftOut} skipped`);
  return bad > 0 ? 1 : 0;
}

process.exitCode = main();
