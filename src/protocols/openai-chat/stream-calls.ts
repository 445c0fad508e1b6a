import { isObject, type JsonObject, type Residue, type Sequencer } from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import { given, withResidue } from './dialect.ts';
import { unknownMembers } from '../../wire/fields.ts';
import { str } from './fields.ts';
import { sealOfMembers } from './reasoning-details.ts';
import { argumentsOf } from './reply-parts.ts';

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
  /** A piece with a seal. */
  sealed: JsonObject;
  residue: { readonly residue?: Residue };
}

/** The tool calls of one choice, put together from their pieces. */
export interface StreamCalls {
  piece(piece: JsonObject): void;
  /** Ends calls whose arguments are whole: they need not wait for the end of the reply when something else begins. */
  endWhole(): void;
  endAll(): void;
  /** There was one. */
  any(): boolean;
}

/** What a choice gives its calls. */
export interface CallPlace {
  readonly choice: number;
  readonly sequencer: Sequencer;
  readonly context: SourceContext;
  readonly newKey: () => string;
  /** Comes before a call begins. */
  readonly beforeNew: () => void;
}

const CALL = new Set(['id', 'type', 'index', 'function', 'custom', 'extra_content']);

const isWhole = (json: string): boolean => {
  if (json.charCodeAt(json.length - 1) !== 125) return false;
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
};

/** The calls of one choice, as far as they came. */
interface Calls extends CallPlace {
  open: OpenCall[];
  any: boolean;
}

function start(calls: Calls, call: OpenCall): void {
  const { sequencer, context, choice } = calls;
  call.started = true;
  calls.any = true;
  if (call.id === '') call.id = context.newId('call_');
  const { id, name, input } = call;
  sequencer.start(call.key, { kind: 'tool-call', id, name, ...given('input', input), ...call.residue }, choice);
  if (call.text !== '') sequencer.push(call.key, { type: 'part-delta', text: call.text });
}

function end(calls: Calls, call: OpenCall): void {
  if (!call.started && (call.name !== '' || call.text !== '')) start(calls, call);
  if (call.started) calls.sequencer.end(call.key, { type: 'part-end', ...sealOfMembers(call.sealed, calls.context.maker) });
  calls.open = calls.open.filter((one) => one !== call);
}

function endWhole(calls: Calls): void {
  for (const call of calls.open) if (call.started && call.input === undefined && isWhole(call.text)) end(calls, call);
}

/** The call that a piece goes on with; `undefined` when it begins one. */
function callOf({ open }: Calls, index: number | undefined, id: string, name: string): OpenCall | undefined {
  if (index === undefined) {
    const known = id === '' ? undefined : open.find((call) => call.id === id);
    const last = open.at(-1);
    return known ?? (last && !(name !== '' && last.name !== '') ? last : undefined);
  }
  const found = open.findLast((call) => call.index === index);
  // Ollama gives parallel calls one index: another id with a name is another call.
  const another = found && name !== '' && id !== '' && found.id !== '' && id !== found.id;
  return another ? undefined : found;
}

function newCall(calls: Calls, index: number | undefined): OpenCall {
  for (const call of calls.open) if (call.index === index) end(calls, call);
  calls.beforeNew();
  endWhole(calls);
  const blank = { id: '', name: '', started: false, input: undefined, text: '', sealed: {}, residue: {} };
  const call: OpenCall = { key: calls.newKey(), index: index ?? -1, ...blank };
  calls.open.push(call);
  return call;
}

/** A call that has not been told yet learns its name; it is told once it has one. */
function learn(calls: Calls, call: OpenCall, piece: JsonObject, name: string): void {
  // A name that comes in pieces is whole when the arguments begin.
  call.name += name;
  call.residue = withResidue({ ...call.residue.residue?.['openai-chat'], ...unknownMembers(piece, CALL) });
  if (call.name !== '' && (call.text !== '' || call.id !== '')) start(calls, call);
}

function readPiece(calls: Calls, piece: JsonObject): void {
  const custom = isObject(piece['custom']) ? piece['custom'] : undefined;
  const fn = custom ?? (isObject(piece['function']) ? piece['function'] : {});
  const id = str(piece['id']);
  const name = str(fn['name']);
  const index = typeof piece['index'] === 'number' ? piece['index'] : undefined;
  const call = callOf(calls, index, id, name) ?? newCall(calls, index);
  if (call.id === '') call.id = id;
  if (piece['extra_content']) call.sealed = piece;
  if (custom || piece['type'] === 'custom') call.input = 'text';
  const text = custom ? str(custom['input']) : argumentsOf(fn['arguments']);
  call.text += text;
  if (!call.started) learn(calls, call, piece, name);
  else if (text !== '') calls.sequencer.push(call.key, { type: 'part-delta', text });
}

/**
 * Puts calls together. Seen on wires: a whole call in one chunk, no index, no type, no id or `""` on later pieces, several
 * calls under one index, an id before the name.
 */
export function createStreamCalls(place: CallPlace): StreamCalls {
  const calls: Calls = { ...place, open: [], any: false };
  return {
    any: () => calls.any,
    endWhole: () => endWhole(calls),
    endAll() {
      for (const call of calls.open) end(calls, call);
    },
    piece: (piece) => readPiece(calls, piece),
  };
}
