import { createRawRelay } from '../../src/exchange/lanes/raw-relay.ts';
import { isObject, type JsonObject, type Usage } from '../../src/ir/index.ts';
import { editPieces, scanTopLevel } from '../../src/wire/top-level-scan.ts';
import type { Recording } from './recordings.ts';
import { type Codec, collected, decodeFrames, framesOf, SOURCE } from './replay.ts';
import type { Problem } from './reply-checks.ts';

/** Sizes of the pieces in which bytes arrive: small ones, and such as cut characters and lines anywhere. */
const SIZES = [1, 7, 61, 1 << 20];

function relayed(bytes: Buffer, size: number, codec: Codec) {
  const relay = createRawRelay(codec.tap, false);
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const passed = relay.push(bytes.subarray(at, at + size));
    if (passed) out.push(passed);
  }
  const live = Buffer.concat(out);
  const { held, tapped, complete } = relay.end(true);
  return { live, whole: held ? Buffer.concat([live, held]) : live, tapped, complete };
}

/** A request between equals goes as it came but for the model's name. */
export function* renameProblem({ request, protocol }: Recording): Iterable<Problem> {
  const check = 'raw request';
  const text = request?.bodyText ?? (request?.body ? JSON.stringify(request.body, null, request.bodyIndent) : undefined);
  if (text === undefined || protocol === 'gemini-generate') return;
  const bytes = Buffer.from(text);
  const scan = scanTopLevel(bytes, new Set(['model', 'stream']));
  if (typeof scan === 'string') return yield { check, why: `not followed: ${scan}` };
  const parsed = JSON.parse(text) as JsonObject;
  for (const name of ['model', 'stream']) {
    const span = scan.values.get(name);
    const found: unknown = span ? JSON.parse(bytes.toString('utf8', span.from, span.to)) : undefined;
    if (found !== parsed[name]) yield { check, why: `${name} ${String(parsed[name])} was found as ${String(found)}` };
  }
  const model = scan.values.get('model');
  if (!model) return;
  const sent = Buffer.concat(editPieces(bytes, [{ ...model, text: '"another/model"' }]));
  const rest = Buffer.concat([bytes.subarray(0, model.from), Buffer.from('"another/model"'), bytes.subarray(model.to)]);
  if (!sent.equals(rest)) yield { check, why: 'more than the name is different' };
  if (JSON.stringify(JSON.parse(sent.toString())) !== JSON.stringify({ ...parsed, model: 'another/model' }))
    yield { check, why: 'it says something else' };
}

const CLASSES = ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning'] as const;

/** What the tap found of usage that the codec reads otherwise. */
function usageProblem(tapped: Usage | undefined, read: Usage | undefined): string | undefined {
  const wrong = CLASSES.find((kind) => (tapped?.[kind] ?? 0) !== (read?.[kind] ?? 0));
  return wrong && `${wrong} ${read?.[wrong]}, tapped ${tapped?.[wrong]}`;
}

/** A whole reply between equals is counted by what the tap finds in its bytes. */
export function* wholeProblem({ response }: Recording, codec: Codec): Iterable<Problem> {
  const check = 'raw reply';
  if (response.sse || !isObject(response.body) || isObject(response.body['error'])) return;
  const { usage, stop, model } = codec.decodeReply(response.body, SOURCE);
  for (const text of [response.bodyText ?? JSON.stringify(response.body), JSON.stringify(response.body, null, 2)]) {
    const tapped = codec.tap.whole(Buffer.from(text));
    const why = usageProblem(tapped.usage, usage);
    if (why !== undefined) return yield { check, why };
    if (tapped.usage && stop.raw !== undefined && tapped.stop?.reason !== stop.reason)
      return yield { check, why: `stop ${stop.reason}, tapped ${tapped.stop?.reason}` };
    if (tapped.usage && tapped.model !== undefined && tapped.model !== model)
      return yield { check, why: `model ${model}, tapped ${tapped.model}` };
  }
}

/** A stream between equals passes byte by byte, and the tap finds in it what the codec reads. */
export function* relayProblem({ response, source }: Recording, codec: Codec): Iterable<Problem> {
  const check = 'raw';
  if (!response.sse || source.fidelity?.response?.startsWith('bytes') !== true) return;
  const bytes = Buffer.from(response.sse.join(''));
  const events = decodeFrames(codec, framesOf(bytes));
  const { usage, stop } = collected(events);
  const faulty = events.at(-1)?.type === 'fault';
  for (const size of SIZES) {
    const { live, whole, tapped, complete } = relayed(bytes, size, codec);
    // Of a stream that failed, the error event is the lane's to tell.
    const passed = faulty ? bytes.subarray(0, live.length).equals(live) : whole.equals(bytes);
    if (!passed) return yield { check, why: `bytes differ in pieces of ${size}` };
    if (complete === faulty) return yield { check, why: `in pieces of ${size} it is ${complete ? '' : 'not '}complete` };
    if (faulty) continue;
    if (tapped.finished && live.length === bytes.length) return yield { check, why: 'the finish was not held' };
    // Chat says "stop" also of calls; the tap does not look for them.
    if (tapped.finished && tapped.stop?.raw !== stop.raw)
      return yield { check, why: `stop ${stop.reason}, tapped ${String(tapped.stop?.reason)}` };
    const why = usageProblem(tapped.usage, usage);
    if (why !== undefined) return yield { check, why };
  }
}
