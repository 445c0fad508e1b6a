import {
  type ChatRequest,
  createNotes,
  DEFAULT_FACTS,
  isObject,
  GatewayError,
  type JsonObject,
  type Note,
  type ProtocolId,
} from '../../src/ir/index.ts';
import type { ProviderCodec } from '../../src/protocols/protocol.ts';
import { requestEssence } from './essence.ts';
import { excuse } from './expressible.ts';
import { MAKER } from './replay.ts';
import type { Problem } from './reply-checks.ts';
import { factsProblem, requestProblem } from './request-grammar.ts';
import type { Target } from './targets.ts';

/** A difference that a note answered for, or a refusal: for the eye, since each is a loss of somebody's. */
export type Excused = (target: string, field: string, by: string) => void;

/** Codes of refusals that name content, tools or a number of answers that the target has no place for. */
const HONEST = new Set(['unsupported_content', 'unsupported_tool', 'unsupported_value', 'missing_parameter']);

/** A target of which only the provider's half is needed. */
type OneWay = Omit<Target, 'codec'> & { readonly codec: ProviderCodec };

/** The target's request, or why it was honestly refused. */
function encoded(request: ChatRequest, { codec, facts, maker }: OneWay, notes: ReturnType<typeof createNotes>): JsonObject | GatewayError {
  try {
    return codec.encodeRequest(request, { model: request.model, facts, maker, notes });
  } catch (error) {
    if (error instanceof GatewayError && error.fault.kind === 'bad_request' && error.fault.param !== undefined) return error;
    throw error;
  }
}

/** A request for a target whose dialect no client speaks, so that it cannot be read back: legal there, with every text in it. */
export function* oneWayProblems(request: ChatRequest, codec: ProviderCodec, excused: Excused): Iterable<Problem> {
  const notes = createNotes();
  const facts = { ...DEFAULT_FACTS, ...codec.facts };
  const check = `request → ${codec.id}`;
  const sent = encoded(request, { name: codec.id, codec, facts, maker: MAKER }, notes);
  if (sent instanceof GatewayError) {
    const { code = '', message } = sent.fault;
    if (HONEST.has(code)) excused(codec.id, 'refused', message.replaceAll(/'[^']{20,}'/g, '…'));
    else yield { check, why: `refused: ${message}` };
    return;
  }
  const wrong = requestProblem(codec.id, sent) ?? factsProblem(codec.id, inferenceOf(sent), facts);
  if (wrong !== undefined) yield { check, why: wrong };
  const all = JSON.stringify(sent);
  const texts = [...request.instructions, ...request.turns.flatMap((turn) => turn.parts)].flatMap((part) =>
    part.kind === 'text' ? [part.text] : [],
  );
  const lost = texts.find((text) => text.trim() !== '' && !all.includes(JSON.stringify(text).slice(1, -1)));
  if (lost !== undefined) yield { check, why: `a text is lost: ${lost.slice(0, 100)}` };
}

/** Converse's words for sampling, where other dialects have theirs. */
const inferenceOf = (sent: JsonObject): JsonObject => {
  const { temperature, topP, stopSequences } = isObject(sent['inferenceConfig']) ? sent['inferenceConfig'] : {};
  return { temperature, top_p: topP, stop: stopSequences };
};

/** A request on its way to a target of one dialect and back: legal there, and without loss beyond its notes. */
export function* requestProblems(from: ProtocolId, request: ChatRequest, target: Target, excused: Excused): Iterable<Problem> {
  const notes = createNotes();
  const { codec, name } = target;
  const check = `request → ${name}`;
  const sent = encoded(request, target, notes);
  if (sent instanceof GatewayError) {
    const { code = '', message } = sent.fault;
    if (from === codec.id || !HONEST.has(code)) yield { check, why: `refused: ${message}` };
    else excused(name, 'refused', message.replaceAll(/'[^']{20,}'/g, '…'));
    return;
  }
  const wrong = from === codec.id ? undefined : (requestProblem(codec.id, sent) ?? factsProblem(codec.id, sent, target.facts));
  if (wrong !== undefined) yield { check, why: wrong };
  const read = codec.id === 'gemini' ? { ...sent, model: request.model, stream: request.stream } : sent;
  yield* losses(request, codec.decodeRequest(read), notes.list, target, check, excused);
}

/** What a target that does not think does anyway. */
const WITHOUT_THOUGHT: ReadonlySet<string> = new Set(['effort none', 'thinks false']);

function* losses(
  request: ChatRequest,
  back: ChatRequest,
  notes: readonly Note[],
  { name: target, facts }: Target,
  check: string,
  excused: Excused,
): Iterable<Problem> {
  const before = requestEssence(request);
  const after = requestEssence(back, request.tools);
  for (const [field, value] of before) {
    const now = after.get(field);
    const isLeft = field === 'thinks' && (value === 'as it likes' || (value === 'true' && now === 'as it likes'));
    if (now === value || isLeft || (facts.reasoningControl === 'none' && WITHOUT_THOUGHT.has(`${field} ${value}`))) continue;
    const note = excuse(field, value, now, notes);
    if (note) excused(target, field, `${note.field} ${note.what}`);
    else
      yield {
        check,
        why: `${field}: ${shown(value, now)} became ${shown(now ?? 'nothing', value)} (notes: ${notes.map((one) => one.field).join(' ')})`,
      };
  }
}

/** A value from where it begins to differ. */
function shown(value: string, other: string | undefined): string {
  let at = 0;
  while (at < value.length && value[at] === other?.[at]) at++;
  return (at > 40 ? '…' : '') + value.slice(at > 40 ? at - 40 : 0, at + 140);
}
