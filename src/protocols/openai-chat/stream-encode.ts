import { type JsonObject, type PartHead, type ReasoningPart, type ReplyEvent, type Seal, type Stop, type Usage } from '../../ir/index.ts';
import type { ReplyContext, StreamEncoder, WriteFrame } from '../protocol.ts';
import { encodeCitations } from './citations.ts';
import { DIALECT, residueOf } from './dialect.ts';
import { faultFrame } from './faults.ts';
import { encodeLogprobs } from './logprobs.ts';
import { BETWEEN_THOUGHTS, createPlaces, encodeAudio, encodeImage } from './message-encode.ts';
import { membersOfSeal, reasoningDetails, sealDetail } from './reasoning-details.ts';
import { isLegacy, replyId } from './reply-encode.ts';
import { encodeStop } from './stops.ts';
import { encodeUsage } from './usage.ts';

type Start = Extract<ReplyEvent, { type: 'reply-start' }>;
type End = Extract<ReplyEvent, { type: 'reply-end' }>;
type PartStart = Extract<ReplyEvent, { type: 'part-start' }>;
type PartNote = Extract<ReplyEvent, { type: 'part-note' }>;

/** What has been told of one choice. */
interface ChoiceState {
  readonly index: number;
  readonly places: ReturnType<typeof createPlaces>;
  /** UTF-16 units of `content` so far. */
  content: number;
  calls: number;
  images: number;
  thought: boolean;
  transcript: string;
  /** Thoughts that nobody sealed: written as details once anything else is. */
  unsealed: { readonly part: ReasoningPart; readonly place: number }[];
  sealed: boolean;
}

/** The part that is open. */
interface OpenPart {
  readonly head: PartHead;
  readonly place: number;
  /** Characters of `content` before it. */
  readonly start: number;
  /** Its text where that is needed at its end. */
  text: string;
  empty: boolean;
  /** The frame of a delta up to its text, and after it; `undefined`: its text is not shown as it comes. */
  prefix: string | undefined;
  suffix: string;
}

const newChoice = (index: number): ChoiceState => ({
  index,
  places: createPlaces(),
  content: 0,
  calls: 0,
  images: 0,
  thought: false,
  transcript: '',
  unsealed: [],
  sealed: false,
});

/** Writes a client's stream of `chat.completion.chunk`s. https://platform.openai.com/docs/api-reference/chat/streaming */
export function createStreamEncoder(context: ReplyContext): StreamEncoder {
  const legacy = isLegacy(context.body);
  const choices: ChoiceState[] = [];
  /** Every chunk up to its choices. */
  let head = '';
  let open: OpenPart | undefined;
  let current = newChoice(0);
  let usage: Usage | undefined;

  const chunk = (choice: number, delta: JsonObject, finish: string | null, write: WriteFrame, logprobs: JsonObject | null = null): void =>
    write(
      `${head}"choices":[{"index":${choice},"delta":${JSON.stringify(delta)},"logprobs":${JSON.stringify(logprobs)},"finish_reason":${JSON.stringify(finish)}}]}`,
    );
  const delta = (value: JsonObject, write: WriteFrame): void => chunk(current.index, value, null, write);

  function choiceAt(index: number, write: WriteFrame): ChoiceState {
    const known = choices[index];
    if (known) return known;
    const fresh = newChoice(index);
    choices[index] = fresh;
    chunk(index, { role: 'assistant', content: '', refusal: null }, null, write);
    return fresh;
  }

  function start(event: Start, write: WriteFrame): void {
    const envelope = {
      ...residueOf(event),
      id: replyId(event.id, context),
      object: 'chat.completion.chunk',
      created: event.createdAt ?? context.now(),
      model: event.model,
      ...(event.serviceTier === undefined ? {} : { service_tier: event.serviceTier }),
    };
    head = `${JSON.stringify(envelope).slice(0, -1)},`;
    current = choiceAt(0, write);
  }

  /** The frame of a delta around its text. */
  function flowing(path: string, close: string): { readonly prefix: string; readonly suffix: string } {
    return {
      prefix: `${head}"choices":[{"index":${current.index},"delta":{${path}`,
      suffix: `${close}},"logprobs":null,"finish_reason":null}]}`,
    };
  }

  function startCall(
    part: Extract<PartHead, { kind: 'tool-call' }>,
    write: WriteFrame,
  ): { readonly prefix: string; readonly suffix: string } {
    const { id, name } = part;
    const index = current.calls++;
    if (legacy && part.input !== 'text') {
      if (index > 0) context.notes.add('function_call', 'dropped', 'the form before tools holds one call');
      else delta({ function_call: { name, arguments: '' } }, write);
      return flowing('"function_call":{"arguments":', '}');
    }
    if (part.input === 'text') {
      delta({ tool_calls: [{ ...residueOf(part), index, id, type: 'custom', custom: { name, input: '' } }] }, write);
      return flowing(`"tool_calls":[{"index":${index},"type":"custom","custom":{"input":`, '}}]');
    }
    delta({ tool_calls: [{ ...residueOf(part), index, id, type: 'function', function: { name, arguments: '' } }] }, write);
    return flowing(`"tool_calls":[{"index":${index},"function":{"arguments":`, '}}]');
  }

  function textFlow(part: PartHead): { readonly prefix?: string; readonly suffix: string } {
    return residueOf(part)['transcript'] === true ? { suffix: '' } : flowing('"content":', '');
  }

  function startReasoning(write: WriteFrame): { readonly prefix: string; readonly suffix: string } {
    if (current.thought) delta({ reasoning_content: BETWEEN_THOUGHTS }, write);
    return flowing('"reasoning_content":', '');
  }

  function partStart(event: PartStart, write: WriteFrame): void {
    const { part } = event;
    current = choiceAt(event.choice ?? 0, write);
    const place = current.places.of(part.kind);
    const base = { head: part, place, start: current.content, text: '', empty: true };
    const silent = { prefix: undefined, suffix: '' };
    switch (part.kind) {
      case 'text':
        open = { ...base, ...silent, ...textFlow(part) };
        return;
      case 'refusal':
        open = { ...base, ...flowing('"refusal":', '') };
        return;
      case 'reasoning':
        // A separator is owed only when more thought follows.
        open = { ...base, ...silent };
        return;
      case 'tool-call':
        open = { ...base, ...startCall(part, write) };
        return;
      case 'media':
        open = { ...base, ...silent };
        media(part, write);
        return;
      default:
        open = { ...base, ...silent };
        context.notes.add(part.kind, 'dropped', 'a chat message has no place for it');
    }
  }

  function media(part: Extract<PartHead, { kind: 'media' }>, write: WriteFrame): void {
    if (part.media === 'audio') {
      delta({ audio: encodeAudio(part, current.transcript, context.newId('audio_')) }, write);
      return;
    }
    if (part.media === 'image') delta({ images: [{ index: current.images, ...encodeImage(part) }] }, write);
    else context.notes.add('choices[].message', 'dropped', `a message of this dialect holds no ${part.media}`);
  }

  function partDelta(part: OpenPart, text: string, literal: string | undefined, write: WriteFrame): void {
    const { kind } = part.head;
    if (kind === 'reasoning') {
      if (part.empty && text !== '') Object.assign(part, startReasoning(write));
      part.text += text;
    } else if (kind === 'text') {
      if (part.prefix === undefined) current.transcript += text;
      else current.content += text.length;
    }
    part.empty &&= text === '';
    if (part.prefix !== undefined) write(part.prefix + (literal ?? JSON.stringify(text)) + part.suffix);
  }

  function note(event: PartNote, part: OpenPart, write: WriteFrame): void {
    if (part.head.kind !== 'text' || part.prefix === undefined) return;
    const annotations = encodeCitations(event.citations ?? [], part.start);
    if (annotations.length > 0) delta({ annotations }, write);
    if (event.logprobs && event.logprobs.length > 0) chunk(current.index, {}, null, write, encodeLogprobs(event.logprobs));
  }

  function seal(detail: readonly unknown[], write: WriteFrame): void {
    current.sealed = true;
    const pending = current.unsealed.flatMap(({ part, place }) => reasoningDetails(part, place));
    current.unsealed = [];
    const reasoning_details = [...pending, ...(detail as readonly JsonObject[])];
    if (reasoning_details.length > 0) delta({ reasoning_details }, write);
  }

  function endReasoning(part: OpenPart, sealed: Seal | undefined, write: WriteFrame): void {
    if (part.head.kind !== 'reasoning') return;
    if (part.text !== '') current.thought = true;
    const whole: ReasoningPart = { ...part.head, text: part.text, ...(sealed ? { seal: sealed } : {}) };
    if (sealed) seal(reasoningDetails(whole, part.place), write);
    else if (part.text !== '') current.unsealed.push({ part: whole, place: part.place });
  }

  function endText(part: OpenPart, sealed: Seal | undefined, write: WriteFrame): void {
    if (!sealed) return;
    if (sealed.by === DIALECT) delta(membersOfSeal(sealed), write);
    else seal([sealDetail(sealed, `content:${part.start}-${current.content}`, part.place)], write);
  }

  function endCall(part: OpenPart, sealed: Seal | undefined, write: WriteFrame): void {
    if (part.head.kind !== 'tool-call') return;
    // Clients parse what came: nothing at all is no JSON.
    if (part.empty && part.head.input !== 'text' && part.prefix !== undefined) write(`${part.prefix}"{}"${part.suffix}`);
    if (!sealed) return;
    if (sealed.by === DIALECT) delta({ tool_calls: [{ index: current.calls - 1, ...membersOfSeal(sealed) }] }, write);
    else seal([sealDetail(sealed, part.head.id, part.place)], write);
  }

  function endMedia(part: Extract<PartHead, { kind: 'media' }>, place: number, sealed: Seal | undefined, write: WriteFrame): void {
    if (part.media !== 'image') return;
    const held = sealed ?? part.seal;
    if (held && held.by !== DIALECT) seal([sealDetail(held, `image:${current.images}`, place)], write);
    current.images++;
  }

  function partEnd(part: OpenPart, sealed: Seal | undefined, write: WriteFrame): void {
    switch (part.head.kind) {
      case 'text':
        return endText(part, sealed, write);
      case 'reasoning':
        return endReasoning(part, sealed, write);
      case 'tool-call':
        return endCall(part, sealed, write);
      case 'media':
        return endMedia(part.head, part.place, sealed, write);
      default:
    }
  }

  function end(event: End, write: WriteFrame): void {
    const stops: readonly Stop[] = [event.stop, ...(event.others ?? [])];
    for (const [index, stop] of stops.entries()) {
      current = choiceAt(index, write);
      if (current.sealed && current.unsealed.length > 0) seal([], write);
      chunk(index, {}, encodeStop(stop, current.calls > 0, legacy), write);
    }
    if (context.request.includeUsage) write(`${head}"choices":[],"usage":${usage ? JSON.stringify(encodeUsage(usage)) : 'null'}}`);
    write('[DONE]');
  }

  return {
    event(event, write) {
      switch (event.type) {
        case 'part-delta':
          if (open) partDelta(open, event.text, event.literal, write);
          return;
        case 'reply-start':
          return start(event, write);
        case 'part-start':
          return partStart(event, write);
        case 'part-note':
          if (open) note(event, open, write);
          return;
        case 'part-end':
          if (open) partEnd(open, event.seal, write);
          open = undefined;
          return;
        case 'usage':
          usage = event.usage;
          return;
        case 'reply-end':
          return end(event, write);
        case 'fault':
          return faultFrame(event.fault, '', write);
      }
    },
  };
}
