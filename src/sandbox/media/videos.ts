import { badField, GatewayError, gatewayFault, isObject, missingField } from '../../ir/index.ts';
import { type Behaviour, behaviourOf, changed } from '../behaviour.ts';
import { type Directives, readDirectives } from '../directives.ts';
import { type Film, filmFile, stillFile } from '../film/film.ts';
import type { Step } from '../play.ts';
import type { VideoOperation } from '../wires.ts';
import { expectVoice, giveFlow, giveJson, type MediaAsk, settleWork } from './ask.ts';
import { type Form, textField, wordField } from './form.ts';
import { givenImages } from './given-images.ts';
import { sizeOf } from './images.ts';
import {
  behaviourOfJob,
  isExpired,
  type JobState,
  jobId,
  jobOf,
  MAX_PROMPT_KEPT,
  stateOf,
  type VideoJob,
  videoObject,
} from './video-job.ts';

/** What the server remembers, beyond what ids say: for lists and for what was deleted. Bounded; a restart begins anew. */
export interface VideoMemory {
  /** What does not fit into an id, by id, the newest last. */
  readonly made: Map<string, { readonly prompt: string; readonly remixOf?: string }>;
  readonly deleted: Set<string>;
  /** What was drawn last, by all that decides it. */
  readonly drawn: Map<string, Buffer>;
}

/** So much of another film's id goes into that of one that is made from it. */
const MAX_SOURCE_KEPT = 24;
const MAX_REMEMBERED = 1000;
const MAX_PROMPT_REMEMBERED = 4000;

export const createVideoMemory = (): VideoMemory => ({ made: new Map(), deleted: new Set(), drawn: new Map() });

/** Lets go of the oldest. */
function bound(ids: VideoMemory['made'] | VideoMemory['deleted']): void {
  for (const oldest of ids.keys()) {
    if (ids.size <= MAX_REMEMBERED) return;
    ids.delete(oldest);
  }
}

/** A job as it is told of: with its whole prompt, as long as that is remembered. */
const told = (id: string, job: VideoJob, { memory, nowMs }: Pick<VideoAsk, 'memory' | 'nowMs'>): object =>
  videoObject(id, { ...job, ...memory.made.get(id) }, nowMs);

/** A request for videos; all but `create` and `list` name one. */
export interface VideoAsk extends MediaAsk {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly memory: VideoMemory;
  /** After `?`. */
  readonly query: URLSearchParams;
  /** The client's `Range`. */
  readonly range?: string;
}

const SECONDS = ['4', '8', '12'] as const;
const USUAL_MS = 2000;
const MAX_PIXELS = 1920 * 1080;
/** A film is a hundred pieces: what slow models pause for between two. */
const PIECES = 100;

const notFound = (id: string): GatewayError =>
  new GatewayError(
    gatewayFault('not_found', `The sandbox has no video '${id.slice(0, 60)}'`, { code: 'video_not_found', param: 'id', by: 'upstream' }),
  );

function found({ memory, nowMs }: VideoAsk, id: string): { readonly job: VideoJob; readonly state: JobState } {
  const job = memory.deleted.has(id) ? undefined : jobOf(id);
  if (!job) throw notFound(id);
  return { job, state: stateOf(job, nowMs) };
}

function promptOf(form: Form): string {
  const prompt = textField(form, 'prompt');
  if (prompt === undefined || prompt.trim() === '') throw missingField('prompt');
  return prompt;
}

/** Words of the prompt's own failures that must be there when the film is fetched. */
function wordsOf({ changes }: Directives): readonly string[] {
  return changes.flatMap(({ trouble }) => (trouble && 'after' in trouble ? [`${trouble.kind}-after-${Math.max(0, trouble.after)}`] : []));
}

/** How long a film takes to be made. */
function durationOf({ pace, work }: Behaviour): number {
  return work.takesMs ?? (pace.firstMs + pace.betweenMs * PIECES || USUAL_MS);
}

/** Failures in the middle are the film's, when it is fetched: its task begins without them. */
function begun(behaviour: Behaviour): Behaviour {
  const { trouble, pace, work: _, ...rest } = behaviour;
  const own = trouble && !('after' in trouble) ? { trouble } : {};
  return { ...rest, ...own, work: {}, pace: { ...pace, firstMs: 0, betweenMs: 0 } };
}

interface Wanted extends Pick<VideoJob, 'seconds' | 'width' | 'height'> {
  readonly from?: string;
}

/** Begins a job and tells of it. */
function submit(ask: VideoAsk, prompt: string, wanted: Wanted, source?: string): Iterable<Step> {
  const directives = readDirectives(prompt);
  const behaviour = directives.changes.reduce(changed, ask.behaviour);
  if (directives.refuse || behaviour.work.end === 'refused') settleWork({ ...behaviour, work: { end: 'refused' } });
  const end = directives.filter ? 'filtered' : behaviour.work.end;
  const job: VideoJob = {
    ...wanted,
    model: ask.model,
    prompt: [...directives.text].slice(0, MAX_PROMPT_KEPT).join(''),
    createdAt: ask.nowMs,
    takesMs: durationOf(behaviour),
    words: wordsOf(directives),
    ...(end && end !== 'refused' ? { end } : {}),
    ...(source === undefined ? {} : { remixOf: source.slice(0, MAX_SOURCE_KEPT) }),
  };
  const id = jobId(job, ask.newId(''));
  const giving = { ...ask, behaviour: begun(behaviour) };
  return giveJson(giving, () => {
    ask.memory.made.set(id, { prompt: prompt.slice(0, MAX_PROMPT_REMEMBERED), ...(source === undefined ? {} : { remixOf: source }) });
    bound(ask.memory.made);
    return told(id, job, ask);
  });
}

/** OpenAI's words, as text or as a number. */
function secondsOf(form: Form): number {
  const { seconds } = form.fields;
  const fields = typeof seconds === 'number' ? { ...form.fields, seconds: String(seconds) } : form.fields;
  return Number(wordField({ ...form, fields }, 'seconds', SECONDS) ?? '4');
}

/** What a film begins with, in words. */
function givenTo(form: Form): { readonly from?: string } {
  const facts = givenImages(form, ['input_reference']).map((image) => image.facts);
  return facts.length === 0 ? {} : { from: facts.join(' + ').slice(0, 80) };
}

function create(ask: VideoAsk): Iterable<Step> {
  const { form } = ask;
  expectVoice(ask, 'video', 'videos');
  const prompt = promptOf(form);
  const seconds = secondsOf(form);
  const size = sizeOf(textField(form, 'size') ?? '720x1280');
  if (size.width % 2 > 0 || size.height % 2 > 0) throw badField('size', 'Invalid size: a video has an even number of pixels each way');
  if (size.width * size.height > MAX_PIXELS) throw badField('size', 'Invalid size: the sandbox makes videos of up to 1920x1080 pixels');
  return submit(ask, prompt, { seconds, ...size, ...givenTo(form) });
}

/** The film that another is made from: one that is done. */
function sourceFor(ask: VideoAsk, id: string): VideoJob {
  const { job, state } = found(ask, id);
  if (state.status === 'completed') return job;
  throw badField('id', `Invalid request: the video is '${state.status}', only a completed one can be changed`, 'video_not_completed');
}

/** What is made from a film is made by its model, where no other is named. */
function asFor(ask: VideoAsk, { model }: VideoJob): VideoAsk {
  if (typeof ask.form.fields['model'] === 'string') {
    expectVoice(ask, 'video', 'videos');
    return ask;
  }
  return { ...ask, model, behaviour: behaviourOf(model) ?? ask.behaviour };
}

function remix(ask: VideoAsk, id: string): Iterable<Step> {
  const prompt = promptOf(ask.form);
  const source = sourceFor(ask, id);
  const { seconds, width, height } = source;
  return submit(asFor(ask, source), prompt, { seconds, width, height, ...givenTo(ask.form) }, id);
}

const LONGEST_SECONDS = 36;

/** An edit is a remix by another path; an extension is longer than what it extends. */
function derive(ask: VideoAsk, isLonger: boolean): Iterable<Step> {
  const prompt = promptOf(ask.form);
  const { video, 'video[id]': named } = ask.form.fields;
  const id = isObject(video) ? video['id'] : named;
  if (typeof id !== 'string') throw missingField('video.id');
  const source = sourceFor(ask, id);
  const { seconds, width, height } = source;
  const total = seconds + (isLonger ? secondsOf(ask.form) : 0);
  if (total > LONGEST_SECONDS)
    throw badField('seconds', `Invalid request: together that is ${total} s, at most ${LONGEST_SECONDS} are made`);
  return submit(asFor(ask, source), prompt, { seconds: total, width, height }, id);
}

/** What one `Range` asks for; `undefined`: all of it. https://www.rfc-editor.org/rfc/rfc9110#name-range-requests */
function rangeOf(header: string | undefined, length: number): { readonly from: number; readonly to: number } | 'none' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const [from, to] =
    match[1] === '' ? [Math.max(0, length - Number(match[2])), length - 1] : [Number(match[1]), Number(match[2] || length)];
  return from >= length || to < from ? 'none' : { from, to: Math.min(to, length - 1) };
}

const PIECE_BYTES = 16 * 1024;

function* inPieces(bytes: Buffer): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

const filmOf = ({ prompt, seconds, width, height, from, remixOf }: VideoJob): Film => ({
  seconds,
  picture: { width, height, text: from === undefined ? prompt : `${prompt}\n(${from})`, caption: '', seed: `${prompt}${remixOf ?? ''}` },
});

/** Films that are kept, since the same one is often fetched again, in parts and by a player. */
const MAX_DRAWN = 8;

function drawn({ drawn: kept }: VideoMemory, job: VideoJob, moves: boolean): Buffer {
  const film = filmOf(job);
  const key = JSON.stringify([moves, film]);
  const bytes = kept.get(key) ?? (moves ? filmFile(film) : stillFile(film, 0.5));
  kept.delete(key);
  kept.set(key, bytes);
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_DRAWN) break;
    kept.delete(oldest);
  }
  return bytes;
}

function content(ask: VideoAsk, id: string): Iterable<Step> {
  const { job, state } = found(ask, id);
  const variant = ask.query.get('variant') ?? 'video';
  if (variant !== 'video' && variant !== 'thumbnail' && variant !== 'spritesheet')
    throw badField('variant', "Invalid request: 'variant' must be video, thumbnail or spritesheet");
  if (state.status !== 'completed')
    throw badField('id', `Invalid request: the video is '${state.status}', it has no content yet`, 'video_not_ready');
  if (isExpired(state, ask.nowMs)) throw notFound(id);
  const bytes = drawn(ask.memory, job, variant === 'video');
  const range = rangeOf(ask.range, bytes.length);
  if (range === 'none')
    throw new GatewayError({
      ...gatewayFault('bad_request', 'The range lies outside of the video', { by: 'upstream', code: 'invalid_range' }),
      status: 416,
    });
  const { from, to } = range ?? { from: 0, to: bytes.length - 1 };
  const named = behaviourOfJob(job) ?? ask.behaviour;
  const trouble = named.trouble && 'after' in named.trouble ? { trouble: named.trouble } : {};
  // The time was taken while the film was made.
  const behaviour: Behaviour = { voice: 'video', work: {}, pace: { headMs: 0, firstMs: 0, betweenMs: 0 }, ...trouble };
  return giveFlow(
    { ...ask, behaviour },
    {
      contentType: variant === 'video' ? 'video/mp4' : 'image/png',
      form: 'whole',
      pieces: inPieces(bytes.subarray(from, to + 1)),
      headers: {
        'accept-ranges': 'bytes',
        'content-length': String(to - from + 1),
        ...(range ? { 'content-range': `bytes ${from}-${to}/${bytes.length}` } : {}),
      },
      ...(range ? { status: 206 } : {}),
    },
  );
}

function list(ask: VideoAsk): object {
  const { memory, query } = ask;
  const limit = Number(query.get('limit') ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100)
    throw badField('limit', "Invalid request: 'limit' must be a whole number from 1 to 100");
  const ids = [...memory.made.keys()].filter((id) => !memory.deleted.has(id));
  if (query.get('order') !== 'asc') ids.reverse();
  const after = query.get('after');
  const rest = after === null ? ids : ids.slice(ids.indexOf(after) + 1);
  const page = rest.slice(0, limit);
  const data = page.flatMap((id) => {
    const job = jobOf(id);
    return job ? [told(id, job, ask)] : [];
  });
  return { object: 'list', data, first_id: page[0] ?? null, last_id: page.at(-1) ?? null, has_more: rest.length > limit };
}

/** `/v1/videos` and what is below it. https://platform.openai.com/docs/api-reference/videos */
export function videos(ask: VideoAsk, { action, id }: VideoOperation): Iterable<Step> {
  switch (action) {
    case 'create':
      return create(ask);
    case 'remix':
      return remix(ask, id);
    case 'edit':
    case 'extend':
      return derive(ask, action === 'extend');
    case 'content':
      return content(ask, id);
    case 'list': {
      const page = list(ask);
      return giveJson(ask, () => page);
    }
    case 'get': {
      const { job } = found(ask, id);
      return giveJson(ask, () => told(id, job, ask));
    }
    case 'delete':
      found(ask, id);
      ask.memory.deleted.add(id);
      bound(ask.memory.deleted);
      ask.memory.made.delete(id);
      return giveJson(ask, () => ({ id, object: 'video.deleted', deleted: true }));
  }
}
