import {
  type Citation,
  isObject,
  type Json,
  type JsonObject,
  type PartHead,
  type Residue,
  type Sequencer,
  type TokenLogprob,
} from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import { decodeAnnotations } from './citations.ts';
import { given, withResidue } from './dialect.ts';
import { objects, str, unknownMembers } from './fields.ts';
import { decodeLogprobs } from './logprobs.ts';
import { appendDetail, readOwnDetails, sealOfMembers } from './reasoning-details.ts';
import { argumentsOf, contentPiece, reasoningText, replyAudio, replyImage, thinkingText, TRANSCRIPT } from './reply-parts.ts';

/** A call whose pieces are still coming. */
interface OpenCall {
  readonly key: string;
  readonly index: number;
  id: string;
  name: string;
  /** Its head has been told: that waits for the name. */
  started: boolean;
  input: 'text' | undefined;
  /** What came so far: tells when the arguments are whole. */
  text: string;
  extra: JsonObject;
  residue: { readonly residue?: Residue };
}

interface Audio {
  id: string;
  expiresAt: Json | undefined;
  readonly bytes: Buffer[];
}

/** The kinds of part that flow: one of them is open at a time. */
type Flow = 'text' | 'refusal' | 'reasoning' | 'transcript';

/** One choice of a stream: takes its deltas, tells the sequencer of parts. */
export interface StreamChoice {
  delta(delta: JsonObject): void;
  /** `logprobs` of the choice, beside the delta. */
  logprobs(value: Json): void;
  citations(citations: readonly Citation[]): void;
  /** More text of the answer: the usual case, without looking at the rest of the delta. */
  text(text: string): void;
  /** Ends what is open. */
  finish(): void;
  /** Anything has come for it. */
  readonly begun: boolean;
  readonly toolCall: boolean;
  readonly refusal: boolean;
}

const CALL = new Set(['id', 'type', 'index', 'function', 'custom', 'extra_content']);

const HEADS = {
  text: { kind: 'text' },
  refusal: { kind: 'refusal' },
  reasoning: { kind: 'reasoning' },
  transcript: { kind: 'text', ...TRANSCRIPT },
} as const satisfies Record<Flow, PartHead>;

const isWhole = (json: string): boolean => {
  if (json.charCodeAt(json.length - 1) !== 125) return false;
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
};

export function createStreamChoice(choice: number, sequencer: Sequencer, context: SourceContext): StreamChoice {
  let serial = 0;
  let flow: Flow | undefined;
  let flowKey = '';
  let begun = false;
  let calls: OpenCall[] = [];
  let hadCall = false;
  let hadRefusal = false;
  let details: JsonObject[] = [];
  let audio: Audio | undefined;
  let textSeal: ReturnType<typeof sealOfMembers> = {};

  const newKey = (): string => `${choice}:${serial++}`;

  /** The seal of the thoughts gathered so far, which their part ends with. */
  function takeDetails(): ReturnType<typeof readOwnDetails> {
    const part = details.length > 0 ? readOwnDetails(details, '', context.maker) : undefined;
    if (part?.seal) details = [];
    return part;
  }

  function endFlow(): void {
    if (!flow) return;
    const seal = flow === 'reasoning' ? takeDetails()?.seal : flow === 'text' ? textSeal.seal : undefined;
    if (flow === 'text') textSeal = {};
    // Thoughts that nobody sealed are not told again with later ones.
    if (flow === 'reasoning') details = [];
    flow = undefined;
    sequencer.end(flowKey, { type: 'part-end', ...given('seal', seal) });
  }

  /** Opens a part for flowing text where another one, or none, is open. */
  function open(kind: Flow): void {
    if (flow === kind) return;
    endFlow();
    endWholeCalls();
    flow = kind;
    flowKey = newKey();
    sequencer.start(flowKey, HEADS[kind], choice);
  }

  function say(kind: Flow, text: string): void {
    if (text === '') return;
    open(kind);
    sequencer.push(flowKey, { type: 'part-delta', text });
  }

  function whole(part: PartHead): void {
    endFlow();
    const key = newKey();
    sequencer.start(key, part, choice);
    sequencer.end(key);
  }

  /** Thoughts whose seal came after their part had ended, with a call or at the end: a part of the seal alone. */
  function lateSeal(): void {
    if (flow === 'reasoning') return;
    const part = takeDetails();
    if (!part?.seal) return;
    endFlow();
    const key = newKey();
    sequencer.start(key, HEADS.reasoning, choice);
    sequencer.end(key, { type: 'part-end', seal: part.seal });
  }

  function reasoning(delta: JsonObject): void {
    const list = objects(delta['reasoning_details']);
    const text = reasoningText(delta) || list.map((detail) => str(detail['text']) || str(detail['summary'])).join('');
    if (text !== '') open('reasoning');
    for (const detail of list) appendDetail(details, detail);
    say('reasoning', text);
  }

  function content(value: Json | undefined): void {
    if (typeof value === 'string') say('text', value);
    else if (Array.isArray(value)) for (const piece of value as readonly Json[]) contentElement(piece);
  }

  function contentElement(piece: Json): void {
    if (isObject(piece) && piece['type'] === 'thinking') {
      say('reasoning', thinkingText(piece['thinking']));
      return;
    }
    const part = contentPiece(piece);
    if (part?.kind === 'text' || part?.kind === 'refusal') say(part.kind, part.text);
    else if (part?.kind === 'media' || part?.kind === 'native') whole(part);
  }

  function startCall(call: OpenCall): void {
    call.started = true;
    hadCall = true;
    const id = call.id === '' ? context.newId('call_') : call.id;
    call.id = id;
    const { name, input } = call;
    sequencer.start(call.key, { kind: 'tool-call', id, name, ...given('input', input), ...call.residue }, choice);
    if (call.text !== '') sequencer.push(call.key, { type: 'part-delta', text: call.text });
  }

  function endCall(call: OpenCall): void {
    if (!call.started && (call.name !== '' || call.text !== '')) startCall(call);
    if (call.started) sequencer.end(call.key, { type: 'part-end', ...sealOfMembers(call.extra, context.maker) });
    calls = calls.filter((one) => one !== call);
  }

  /** Calls whose arguments are whole need not wait for the end of the reply, when something else begins. */
  function endWholeCalls(): void {
    for (const call of calls) if (call.started && call.input === undefined && isWhole(call.text)) endCall(call);
  }

  /** The call that a piece goes on with; `undefined` when it begins one. */
  function callOf(index: number | undefined, id: string, name: string): OpenCall | undefined {
    if (index === undefined) {
      const known = id === '' ? undefined : calls.find((call) => call.id === id);
      const last = calls.at(-1);
      return known ?? (last && !(name !== '' && last.name !== '') ? last : undefined);
    }
    const found = calls.findLast((call) => call.index === index);
    // Ollama gives parallel calls one index: another id with a name is another call.
    const another = found && name !== '' && id !== '' && found.id !== '' && id !== found.id;
    return another ? undefined : found;
  }

  function newCall(index: number | undefined): OpenCall {
    for (const call of calls) if (call.index === index) endCall(call);
    endFlow();
    endWholeCalls();
    const call: OpenCall = {
      key: newKey(),
      index: index ?? -1,
      id: '',
      name: '',
      started: false,
      input: undefined,
      text: '',
      extra: {},
      residue: {},
    };
    calls.push(call);
    return call;
  }

  function toolCall(piece: JsonObject): void {
    const custom = isObject(piece['custom']) ? piece['custom'] : undefined;
    const fn = custom ?? (isObject(piece['function']) ? piece['function'] : {});
    const id = str(piece['id']);
    const name = str(fn['name']);
    const index = typeof piece['index'] === 'number' ? piece['index'] : undefined;
    const call = callOf(index, id, name) ?? newCall(index);
    if (id !== '' && call.id === '') call.id = id;
    if (piece['extra_content']) call.extra = piece;
    if (custom || piece['type'] === 'custom') call.input = 'text';
    const text = custom ? str(custom['input']) : argumentsOf(fn['arguments']);
    call.text += text;
    if (call.started) {
      if (text !== '') sequencer.push(call.key, { type: 'part-delta', text });
      return;
    }
    // A name that comes in pieces is whole when the arguments begin.
    call.name += name;
    call.residue = withResidue({ ...call.residue.residue?.['openai-chat'], ...unknownMembers(piece, CALL) });
    if (call.name !== '' && (call.text !== '' || call.id !== '')) startCall(call);
  }

  function functionCall(value: JsonObject): void {
    toolCall({ index: 0, function: value });
  }

  function heard(piece: JsonObject): void {
    audio ??= { id: '', expiresAt: undefined, bytes: [] };
    audio.id ||= str(piece['id']);
    audio.expiresAt = piece['expires_at'] ?? audio.expiresAt;
    const data = str(piece['data']);
    if (data !== '') audio.bytes.push(Buffer.from(data, 'base64'));
    say('transcript', str(piece['transcript']));
  }

  function endAudio(): void {
    if (!audio) return;
    const data = Buffer.concat(audio.bytes).toString('base64');
    const [media] = replyAudio({ id: audio.id, data, ...(audio.expiresAt === undefined ? {} : { expires_at: audio.expiresAt }) });
    audio = undefined;
    if (media?.kind === 'media') whole(media);
  }

  return {
    get begun() {
      return begun;
    },
    get toolCall() {
      return hadCall;
    },
    get refusal() {
      return hadRefusal;
    },
    text(text) {
      begun = true;
      say('text', text);
    },
    delta(delta) {
      begun = true;
      reasoning(delta);
      content(delta['content']);
      if (typeof delta['refusal'] === 'string' && delta['refusal'] !== '') {
        hadRefusal = true;
        say('refusal', delta['refusal']);
      }
      if (isObject(delta['audio'])) heard(delta['audio']);
      for (const image of objects(delta['images'])) {
        const part = replyImage(image);
        if (part.kind === 'media' || part.kind === 'native') whole(part);
      }
      if (delta['extra_content']) textSeal = sealOfMembers(delta, context.maker);
      const pieces = objects(delta['tool_calls']);
      if (pieces.length > 0) lateSeal();
      for (const piece of pieces) toolCall(piece);
      if (isObject(delta['function_call'])) functionCall(delta['function_call']);
      if (Array.isArray(delta['annotations'])) this.citations(decodeAnnotations(delta['annotations']));
    },
    logprobs(value) {
      const logprobs: readonly TokenLogprob[] = decodeLogprobs(value);
      if (logprobs.length > 0 && flow === 'text') sequencer.push(flowKey, { type: 'part-note', logprobs });
    },
    citations(citations) {
      if (citations.length === 0) return;
      open('text');
      sequencer.push(flowKey, { type: 'part-note', citations });
    },
    finish() {
      if (textSeal.seal && flow !== 'text') open('text');
      lateSeal();
      endFlow();
      lateSeal();
      for (const call of calls) endCall(call);
      endAudio();
    },
  };
}
