import {
  badField,
  type ChatRequest,
  createNotes,
  GatewayError,
  gatewayFault,
  isObject,
  type JsonObject,
  kindOf,
  type Notes,
  parseObject,
  SEAL_MARK,
} from '../ir/index.ts';
import type { Quirk } from '../presets/preset.ts';
import { createFindWord, type FindWord } from '../wire/find-word.ts';
import { findJsonMistake } from '../wire/json-mistake.ts';
import { patchJson } from '../wire/patch-json.ts';
import { type Edit, editPieces } from '../wire/top-level-scan.ts';
import type { Outgoing } from './attempt.ts';
import type { Call, Decoded, Target } from './call.ts';
import { createRawLane } from './lanes/raw.ts';
import { withoutMissingSearch } from './optional-tools.ts';
import { refuseLosses } from './refuse-losses.ts';

const findMark = createFindWord(Buffer.from(SEAL_MARK));

/** Whether a body holds sealed state that the gateway passed through another dialect: then it must be read, and each seal go to its maker only. */
export const holdsForeignSeal = (body: Buffer): boolean => findMark(body) >= 0;

const isTracing = (name: string): boolean => name === 'traceparent' || name === 'tracestate';

/** Client headers that pass to an upstream of the client's own protocol; credentials never do. */
const isDialects = (name: string): boolean => name === 'openai-beta' || name.startsWith('anthropic-') || isTracing(name);

function passed(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
}

const CREDENTIALS = new Set(['authorization', 'x-api-key', 'x-goog-api-key', 'api-key', 'cookie', 'proxy-authorization']);

function outgoingHeaders(call: Call, target: Target): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/json', ...target.wire.headers };
  const same = target.protocol === call.client.id;
  const extra = target.wire.wire.passHeaders;
  for (const name in call.headers) {
    const pass = same ? isDialects(name) || (extra !== undefined && passed(name, extra)) : isTracing(name);
    const value = pass && !CREDENTIALS.has(name) ? call.headers[name] : undefined;
    // Bytes that no such header has would be refused by the way out: a client's nonsense must not become our fault.
    if (typeof value === 'string' && /^[\t\x20-\x7e]*$/.test(value)) headers[name] = value;
  }
  return headers;
}

function pathOf(call: Call, target: Target): string {
  const { wire } = target.wire;
  if (call.relayPath !== undefined) return target.wire.basePath + call.relayPath;
  const below = wire.path ? wire.path(target.model, call.stream, target.provider.values) : target.codec.path(target.model, call.stream);
  return target.wire.basePath + below;
}

/** The body with the wire's quirks and last changes applied. */
function finished(body: JsonObject, target: Target, stream: boolean, notes: Notes): JsonObject {
  const { wire } = target.wire;
  let out = body;
  for (const quirk of wire.quirks ?? []) out = quirk.apply(out, notes, target.model);
  return wire.finish ? wire.finish(out, target.model, stream) : out;
}

/** Searches for the fields of a preset's quirks. */
const finders = new WeakMap<Quirk, readonly FindWord[]>();

function touches(quirk: Quirk, body: Buffer): boolean {
  let found = finders.get(quirk);
  if (!found) finders.set(quirk, (found = quirk.fields.map((field) => createFindWord(Buffer.from(`"${field}"`)))));
  return found.some((find) => find(body) >= 0);
}

/** Whether the raw lane must parse the body after all: a quirk's field occurs in it, or the wire changes it. */
function mustParse(call: Call, target: Target): boolean {
  const { wire } = target.wire;
  return (
    wire.finish !== undefined ||
    (wire.quirks?.some((quirk) => touches(quirk, call.body)) ?? false) ||
    (wire.modelIn === 'path' && call.scan.values.has('model') && call.client.id !== 'gemini')
  );
}

/** Whether the gateway asks for a usage report that the client did not ask for. */
function addsUsage(call: Call, target: Target, options: unknown): boolean {
  const counted = call.client.id === 'openai-chat' || call.client.id === 'openai-completions';
  if (!call.stream || !counted || call.operation !== 'generate' || !target.wire.factsOf(target.model).includeUsage) return false;
  return !(isObject(options) && options['include_usage'] === true);
}

/** The changes to a body that passes as it is: the model's name, and a usage report for a stream that would otherwise be free. */
function rawEdits(call: Call, target: Target, options: JsonObject | undefined, addUsage: boolean): readonly Edit[] {
  const edits: Edit[] = [];
  const model = call.scan.values.get('model');
  if (model) {
    // Gemini names it in the path; a body that names it too must name the same.
    const text = JSON.stringify(call.client.id === 'gemini' ? `models/${target.model}` : target.model);
    if (call.body.toString('utf8', model.from, model.to) !== text) edits.push({ ...model, text });
  }
  if (addUsage) {
    const span = call.scan.values.get('stream_options');
    if (span) edits.push({ ...span, text: JSON.stringify({ ...options, include_usage: true }) });
    else edits.push({ from: call.scan.inside, to: call.scan.inside, text: '"stream_options":{"include_usage":true},' });
  }
  return edits;
}

/** Gemini's batches name the model in each request too: the same one, or it is a mistake of the caller. */
export function renameNested(body: JsonObject, asked: string, model: string): JsonObject {
  const renamed = (one: JsonObject, param: string): JsonObject => {
    const named = one['model'];
    if (named === undefined || named === null) return one;
    if (typeof named !== 'string' || named.replace(/^models\//, '') !== asked)
      throw badField(param, `Invalid request: the path names model '${asked}', '${param}' another`);
    return { ...one, model: `models/${model}` };
  };
  const { requests } = body;
  const outer = renamed(body, 'model');
  if (!Array.isArray(requests)) return outer;
  return { ...outer, requests: requests.map((one: unknown, index) => (isObject(one) ? renamed(one, `requests[${index}].model`) : null)) };
}

/** What a body said of providers, for one that knows these words; for others a note where they were not followed. */
function preferencesFor({ routing }: Call, target: Target, notes: Notes): JsonObject | undefined {
  if (!routing?.provider) return undefined;
  if (target.provider.preset.readsPreferences === true && target.protocol !== 'gemini') return { provider: routing.provider };
  for (const field of routing.ignored) notes.add(field, 'dropped', 'nothing is known here to choose by it');
  return undefined;
}

/** A call on the raw lane: bytes as received but for what `rawEdits` names; parsed only where a wire's difference needs it. */
export function writeRaw(call: Call, target: Target): Outgoing {
  const notes = createNotes();
  const span = call.scan.values.get('stream_options');
  const options = span ? parseObject(call.body.toString('utf8', span.from, span.to)) : undefined;
  const addUsage = addsUsage(call, target, options);
  const changed = call.prepared && (call.prepared.onRaw?.(call.prepared.body, target) ?? call.prepared.body);
  const preferences = preferencesFor(call, target, notes);
  let body: readonly Buffer[];
  const nested = call.operation === 'embed' && call.client.id === 'gemini';
  if (changed || nested || mustParse(call, target)) {
    const received = changed ?? parseBody(call.body);
    const parsed = nested && !changed ? renameNested(received, call.model, target.model) : received;
    const named =
      target.wire.wire.modelIn === 'path' || call.client.id === 'gemini'
        ? without(parsed, 'model', 'stream')
        : { ...parsed, model: target.model };
    const withUsage = { ...named, ...(addUsage ? { stream_options: { ...options, include_usage: true } } : {}), ...preferences };
    const written = finished(withUsage, target, call.stream, notes);
    body = changed ? [Buffer.from(JSON.stringify(written))] : patchJson(call.body, received, written);
    refuseLosses(call, notes);
  } else {
    const edits = rawEdits(call, target, options, addUsage);
    const { inside } = call.scan;
    const told = preferences ? [{ from: inside, to: inside, text: `${JSON.stringify(preferences).slice(1, -1)},` }] : [];
    body = editPieces(call.body, told.length > 0 ? [...edits, ...told] : edits);
    if (call.routing) refuseLosses(call, notes);
  }
  return {
    path: pathOf(call, target),
    headers: outgoingHeaders(call, target),
    body,
    notes,
    lane: (context) => createRawLane(context, addUsage),
  };
}

const without = (body: JsonObject, ...names: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));

const notJson = (why: string): GatewayError =>
  new GatewayError(gatewayFault('bad_request', `Invalid request: the body ${why}`, { code: 'invalid_json' }));

/** A body as an object. Throws the 400 that says what is wrong with it and where, in words that quote nothing of it. */
export function parseBody(body: Buffer): JsonObject {
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (text.trim() === '') throw notJson('is empty, it must be a JSON object');
    const mistake = findJsonMistake(text);
    const place = mistake ? `: ${mistake.found} at position ${mistake.at} (line ${mistake.line}, column ${mistake.column})` : '';
    throw notJson(`is not valid JSON${place}`);
  }
  if (!isObject(value)) throw notJson(`must be a JSON object, found ${kindOf(value)}`);
  return value;
}

/** Reads a call into the shared language. Throws `GatewayError` for what is wrong in it. */
export function decodeCall(call: Call): Decoded {
  const body = call.prepared?.body ?? parseBody(call.body);
  const named = call.client.id === 'gemini' ? { ...body, model: call.model, stream: call.stream } : body;
  return { request: call.client.decodeRequest(named), body, notes: createNotes() };
}

/** A call on the translated lane. `request` is what remains of the decoded one after seals and media were seen to. */
export function writeTranslated(call: Call, target: Target, decoded: Decoded, request: ChatRequest, lane: Outgoing['lane']): Outgoing {
  const notes = createNotes();
  for (const note of decoded.notes.list) notes.add(note.field, note.what, note.why);
  const facts = target.wire.factsOf(target.model);
  const told = withoutMissingSearch(request, target.protocol, facts, notes);
  const encoded = target.codec.encodeRequest(
    { ...told, model: target.model },
    { model: target.model, facts, maker: target.provider.maker, notes },
  );
  const written = finished(encoded, target, call.stream, notes);
  const preferences = preferencesFor(call, target, notes);
  const body = preferences ? { ...written, ...preferences } : written;
  refuseLosses(call, notes);
  return {
    path: pathOf(call, target),
    headers: outgoingHeaders(call, target),
    body: [Buffer.from(JSON.stringify(body))],
    notes,
    lane,
  };
}
