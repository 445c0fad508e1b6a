import { type Citation, isObject, type Json, type JsonObject, type PartHead, type Sequencer } from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import { decodeAnnotations } from './citations.ts';
import { given } from './dialect.ts';
import { objects, str } from './fields.ts';
import { decodeLogprobs } from './logprobs.ts';
import { appendDetail, readOwnDetails, sealOfMembers } from './reasoning-details.ts';
import { contentPiece, reasoningText, replyAudio, replyImage, thinkingText, TRANSCRIPT } from './reply-parts.ts';
import { createStreamCalls } from './stream-calls.ts';

/** One choice of a stream: takes its deltas, tells the sequencer of parts. */
export interface StreamChoice {
  delta(delta: JsonObject): void;
  /** `logprobs` of the choice, beside the delta. */
  logprobs(value: Json): void;
  citations(citations: readonly Citation[]): void;
  /** More text of the answer: the usual case, without looking at the rest of the delta. */
  plain(kind: 'text' | 'reasoning', text: string, literal?: string): void;
  /** Ends what is open. */
  finish(): void;
  /** What it has cited so far. */
  cited(): readonly Citation[];
  /** Anything has come for it. */
  hasBegun(): boolean;
  hasToolCall(): boolean;
}

const HEADS = {
  text: { kind: 'text' },
  refusal: { kind: 'refusal' },
  reasoning: { kind: 'reasoning' },
  summary: { kind: 'reasoning', form: 'summary' },
  transcript: { kind: 'text', ...TRANSCRIPT },
} as const satisfies Record<string, PartHead>;

/** The kinds of part that flow: one of them is open at a time. */
type Flow = keyof typeof HEADS;

const isThought = (flow: Flow | undefined): boolean => flow === 'reasoning' || flow === 'summary';

/** Audio that comes in pieces; it is told whole. */
interface StreamAudio {
  piece(piece: JsonObject): void;
  take(): PartHead | undefined;
}

function createStreamAudio(): StreamAudio {
  let bytes: Buffer[] | undefined;
  let id = '';
  let expires: Json | undefined;
  return {
    piece(piece) {
      bytes ??= [];
      id ||= str(piece['id']);
      expires = piece['expires_at'] ?? expires;
      const data = str(piece['data']);
      if (data !== '') bytes.push(Buffer.from(data, 'base64'));
    },
    take() {
      if (!bytes) return undefined;
      const data = Buffer.concat(bytes).toString('base64');
      bytes = undefined;
      const [media] = replyAudio({ id, data, ...given('expires_at', expires) });
      return media?.kind === 'media' ? media : undefined;
    },
  };
}

/** Thoughts as `reasoning_details` tells them. */
interface StreamDetails {
  /** Takes a delta's entries; returns text that no other member of the stream has told. */
  read(delta: JsonObject): string;
  /** Another member than `reasoning_details` tells the text. */
  beside(): void;
  /** They are a summary of the thoughts. */
  isSummary(): boolean;
  /** The seal of what came since the last one. */
  take(maker: string): ReturnType<typeof readOwnDetails>;
  forget(): void;
}

function createStreamDetails(): StreamDetails {
  let list: JsonObject[] = [];
  let beside = false;
  return {
    read(delta) {
      const text = reasoningText(delta);
      beside ||= text !== '';
      const more = objects(delta['reasoning_details']);
      for (const detail of more) appendDetail(list, detail);
      // Where a member for text is used, the entries repeat it.
      return beside ? text : more.map((detail) => str(detail['text']) || str(detail['summary'])).join('');
    },
    beside() {
      beside = true;
    },
    isSummary: () => list.length > 0 && list.every((detail) => detail['type'] === 'reasoning.summary'),
    take(maker) {
      const part = list.length > 0 ? readOwnDetails(list, '', maker) : undefined;
      if (part?.seal) list = [];
      return part;
    },
    forget() {
      list = [];
    },
  };
}

/** Reads one choice. */
export function createStreamChoice(choice: number, sequencer: Sequencer, context: SourceContext): StreamChoice {
  let serial = 0;
  let flow: Flow | undefined;
  let flowKey = '';
  let begun = false;
  let cited: readonly Citation[] = [];
  let textSeal: ReturnType<typeof sealOfMembers> = {};
  const details = createStreamDetails();
  const audio = createStreamAudio();
  const newKey = (): string => `${choice}:${serial++}`;
  const calls = createStreamCalls({ choice, sequencer, context, newKey, beforeNew: beforeCall });

  function endFlow(): void {
    if (!flow) return;
    const seal = isThought(flow) ? details.take(context.maker)?.seal : flow === 'text' ? textSeal.seal : undefined;
    if (flow === 'text') textSeal = {};
    // Thoughts that nobody sealed are not told again with later ones.
    if (isThought(flow)) details.forget();
    flow = undefined;
    sequencer.end(flowKey, { type: 'part-end', ...given('seal', seal) });
  }

  function whole(part: PartHead, seal?: ReturnType<typeof sealOfMembers>): void {
    endFlow();
    const key = newKey();
    sequencer.start(key, part, choice);
    sequencer.end(key, { type: 'part-end', ...seal });
  }

  /** A seal without a text of its own: thoughts that are not shown, or whose seal came after their part had ended. */
  function lateSeal(): void {
    if (isThought(flow)) return;
    const seal = details.take(context.maker)?.seal;
    if (seal) whole(HEADS.reasoning, { seal });
  }

  function beforeCall(): void {
    if (textSeal.seal && flow !== 'text') open('text');
    endFlow();
    lateSeal();
  }

  /** Opens a part for flowing text where another one, or none, is open. */
  function open(kind: Flow): void {
    if (flow === kind) return;
    endFlow();
    if (!isThought(kind)) lateSeal();
    calls.endWhole();
    flow = kind;
    flowKey = newKey();
    sequencer.start(flowKey, HEADS[kind], choice);
  }

  function say(kind: Flow, text: string, literal?: string): void {
    if (text === '') return;
    if (flow !== kind) open(kind);
    sequencer.push(flowKey, literal === undefined ? { type: 'part-delta', text } : { type: 'part-delta', text, literal });
  }

  /** What kind of thoughts they are shows when they begin. */
  function think(text: string, literal?: string): void {
    say(isThought(flow) ? (flow as Flow) : details.isSummary() ? 'summary' : 'reasoning', text, literal);
  }

  function contentElement(piece: Json): void {
    if (isObject(piece) && piece['type'] === 'thinking') {
      think(thinkingText(piece['thinking']));
      return;
    }
    const part = contentPiece(piece);
    if (part?.kind === 'text' || part?.kind === 'refusal') say(part.kind, part.text);
    else if (part?.kind === 'media' || part?.kind === 'native') whole(part);
  }

  function content(value: Json | undefined): void {
    if (typeof value === 'string') say('text', value);
    else if (Array.isArray(value)) for (const piece of value as readonly Json[]) contentElement(piece);
  }

  function citations(list: readonly Citation[]): void {
    if (list.length === 0) return;
    open('text');
    cited = [...cited, ...list];
    sequencer.push(flowKey, { type: 'part-note', citations: list });
  }

  function image(value: JsonObject): void {
    const part = replyImage(value);
    if (part.kind === 'media' || part.kind === 'native') whole(part);
  }

  function heard(piece: JsonObject): void {
    audio.piece(piece);
    say('transcript', str(piece['transcript']));
  }

  return {
    cited: () => cited,
    hasBegun: () => begun,
    hasToolCall: () => calls.any(),
    citations,
    plain(kind, text, literal) {
      begun = true;
      if (kind === 'text') say('text', text, literal);
      else {
        details.beside();
        think(text, literal);
      }
    },
    delta(delta) {
      begun = true;
      think(details.read(delta));
      content(delta['content']);
      say('refusal', str(delta['refusal']));
      if (isObject(delta['audio'])) heard(delta['audio']);
      for (const one of objects(delta['images'])) image(one);
      if (delta['extra_content']) textSeal = sealOfMembers(delta, context.maker);
      for (const piece of objects(delta['tool_calls'])) calls.piece(piece);
      if (isObject(delta['function_call'])) calls.piece({ index: 0, function: delta['function_call'] });
      citations(decodeAnnotations(delta['annotations']));
    },
    logprobs(value) {
      const logprobs = decodeLogprobs(value);
      if (logprobs.length > 0 && flow === 'text') sequencer.push(flowKey, { type: 'part-note', logprobs });
    },
    finish() {
      if (textSeal.seal && flow !== 'text') open('text');
      endFlow();
      lateSeal();
      calls.endAll();
      const media = audio.take();
      if (media) whole(media);
    },
  };
}
