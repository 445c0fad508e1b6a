import {
  createSequencer,
  type Emit,
  type Fault,
  isObject,
  type Json,
  type JsonObject,
  parseObject,
  type Sequencer,
  type Stop,
} from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import type { MatchedDelta } from './chunk-template.ts';
import { normal, objects, str, withResidue } from './dialect.ts';
import { createStreamCandidate, type StreamCandidate } from './stream-candidate.ts';
import { finishWord } from './stops.ts';
import { decodeUsage } from './usage.ts';

/** The candidates that one reply may hold: an index beyond is none of ours. */
const MAX_CANDIDATES = 128;

const ENVELOPE: ReadonlySet<string> = new Set(['candidates', 'usageMetadata', 'modelVersion', 'responseId']);

/** Reads `GenerateContentResponse`s: the chunks of a stream, or the one of a whole reply. */
export interface ChunkReader {
  chunk(value: JsonObject): void;
  /** A chunk that adds text to the first candidate and tells the usage so far, as JSON text. */
  plain(delta: MatchedDelta): void;
  /** Tells the end of the reply. */
  end(): void;
  fail(fault: Fault): void;
  /** Every candidate that began has finished, or the prompt was blocked. */
  isFinished(): boolean;
  /** Something that belongs to a reply has come. */
  hasBegun(): boolean;
  /** Plain chunks may come: there is one candidate, and it has begun. */
  isFlowing(): boolean;
}

/** Seconds since 1970 of `createTime`. */
function secondsOf(time: Json | undefined): { readonly createdAt?: number } {
  const ms = Date.parse(str(time));
  return Number.isNaN(ms) ? {} : { createdAt: Math.floor(ms / 1000) };
}

/** Why a prompt was refused; Google answers it without candidates. */
function blockOf(feedback: Json | undefined): Stop | undefined {
  const reason = isObject(feedback) ? normal(feedback)['blockReason'] : undefined;
  const word = typeof reason === 'number' ? 'SAFETY' : finishWord(reason);
  return word === undefined || word === 'BLOCK_REASON_UNSPECIFIED' ? undefined : { reason: 'content-filter', raw: word };
}

/** Where reading one reply stands. */
interface Reading {
  readonly context: SourceContext;
  readonly emit: Emit;
  readonly sequencer: Sequencer;
  readonly candidates: (StreamCandidate | undefined)[];
  /** Members of the envelope that mean nothing to us. */
  rest: JsonObject;
  usage: JsonObject | string | undefined;
  /** Why the prompt was refused. */
  blocked: Stop | undefined;
  started: boolean;
}

function start(reading: Reading, chunk: JsonObject): void {
  reading.started = true;
  const { createTime } = chunk;
  reading.emit({
    type: 'reply-start',
    id: str(chunk['responseId']),
    model: str(chunk['modelVersion']),
    ...secondsOf(createTime),
    ...withResidue(createTime === undefined ? {} : { createTime }),
  });
}

function readCandidate({ candidates, sequencer, context }: Reading, raw: JsonObject): void {
  const { index = 0 } = raw;
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= MAX_CANDIDATES) return;
  const state = (candidates[index] ??= createStreamCandidate(index, sequencer, context));
  state.read(raw);
  // Later candidates may speak once those before them have finished; what those say after that comes at the end.
  for (let at = 0; candidates.length > 1 && candidates[at]?.stop(); at++) {
    candidates[at]?.close();
    sequencer.choiceOver(at);
  }
}

function readChunk(reading: Reading, raw: JsonObject): void {
  const value = normal(raw);
  const list = objects(value['candidates']);
  const isReply = list.length > 0 || value['promptFeedback'] !== undefined || value['usageMetadata'] !== undefined;
  if (!reading.started && isReply) start(reading, value);
  for (const name in value) if (!ENVELOPE.has(name)) reading.rest = { ...reading.rest, [name]: value[name] };
  if (isObject(value['usageMetadata'])) reading.usage = value['usageMetadata'];
  reading.blocked ??= blockOf(value['promptFeedback']);
  for (const one of list) readCandidate(reading, one);
}

function tellUsage(reading: Reading): void {
  const { usage } = reading;
  const told = typeof usage === 'string' ? parseObject(usage) : usage;
  if (told && reading.started) reading.emit({ type: 'usage', usage: decodeUsage(told) });
  reading.usage = undefined;
}

function residueOf({ candidates, rest }: Reading): JsonObject {
  const rests = candidates.map((one) => one?.rest ?? {});
  return { ...rest, ...(rests.some((one) => Object.keys(one).length > 0) ? { candidates: rests } : {}) };
}

/** What was said of the prompt instead of an answer is a refusal, also without its reason. */
const isRefused = ({ candidates, rest }: Reading): boolean => candidates.length === 0 && rest['promptFeedback'] !== undefined;

function isFinished(reading: Reading): boolean {
  const { blocked, candidates } = reading;
  if (blocked || isRefused(reading)) return true;
  return candidates.some((one) => one) && candidates.every((one) => !one || one.stop() !== undefined);
}

function end(reading: Reading): void {
  const { candidates, sequencer, blocked } = reading;
  for (const one of candidates) one?.close();
  sequencer.endAll();
  sequencer.flush();
  tellUsage(reading);
  const fallback: Stop = blocked ?? { reason: isRefused(reading) ? 'content-filter' : 'other' };
  const [stop = fallback, ...others] = candidates.map((one) => one?.stop() ?? fallback);
  reading.emit({ type: 'reply-end', stop, ...(others.length > 0 ? { others } : {}), ...withResidue(residueOf(reading)) });
}

export function createChunkReader(context: SourceContext, emit: Emit): ChunkReader {
  const sequencer = createSequencer(emit);
  const reading: Reading = { context, emit, sequencer, candidates: [], rest: {}, usage: undefined, blocked: undefined, started: false };
  const { candidates } = reading;
  return {
    isFinished: () => isFinished(reading),
    hasBegun: () => reading.started,
    isFlowing: () => candidates.length === 1 && candidates[0] !== undefined,
    plain({ kind, text, literal, usage }) {
      candidates[0]?.plain(kind, text, literal);
      if (usage !== undefined) reading.usage = usage;
    },
    chunk: (raw) => readChunk(reading, raw),
    end: () => end(reading),
    fail(fault) {
      tellUsage(reading);
      emit({ type: 'fault', fault });
    },
  };
}
