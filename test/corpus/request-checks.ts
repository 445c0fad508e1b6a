import {
  type ChatRequest,
  createNotes,
  DEFAULT_FACTS,
  type FactChanges,
  GatewayError,
  type JsonObject,
  type Note,
  type ProtocolId,
} from '../../src/ir/index.ts';
import { requestEssence } from './essence.ts';
import { excuse } from './expressible.ts';
import { type Codec, MAKER } from './replay.ts';
import type { Problem } from './reply-checks.ts';
import { requestProblem } from './request-grammar.ts';

/** A difference that a note answered for, or a refusal: for the eye, since each is a loss of somebody's. */
export type Excused = (target: ProtocolId, field: string, by: string) => void;

/** What providers of a dialect are mostly like, beyond the codec's own facts: what the vendor's newest models take. */
const USUAL: { readonly [P in ProtocolId]?: FactChanges } = {
  // What it takes by its address only as bytes is fetched before (`exchange/inline-media`).
  'openai-chat': { hostedTools: ['web-search'], developerRole: true, media: { ...DEFAULT_FACTS.media, document: 'url-and-bytes' } },
  'openai-responses': { hostedTools: ['web-search', 'code-execution', 'image-generation', 'file-search', 'mcp'], developerRole: true },
  'anthropic-messages': { hostedTools: ['web-search', 'web-fetch', 'code-execution'] },
  gemini: { hostedTools: ['web-search', 'web-fetch', 'code-execution'] },
};

/** Codes of refusals that name content, tools or a number of answers that the target has no place for. */
const HONEST = new Set(['unsupported_content', 'unsupported_tool', 'unsupported_value', 'missing_parameter']);

/** The target's request, or why it was honestly refused. */
function encoded(request: ChatRequest, target: Codec, notes: ReturnType<typeof createNotes>): JsonObject | GatewayError {
  const facts = { ...DEFAULT_FACTS, ...target.facts, ...USUAL[target.id] };
  try {
    return target.encodeRequest(request, { model: request.model, facts, maker: MAKER, notes });
  } catch (error) {
    if (error instanceof GatewayError && error.fault.kind === 'bad_request' && error.fault.param !== undefined) return error;
    throw error;
  }
}

/** A request on its way to a target of one dialect and back: legal there, and without loss beyond its notes. */
export function* requestProblems(from: ProtocolId, request: ChatRequest, target: Codec, excused: Excused): Iterable<Problem> {
  const notes = createNotes();
  const check = `request → ${target.id}`;
  const sent = encoded(request, target, notes);
  if (sent instanceof GatewayError) {
    const { code = '', message } = sent.fault;
    if (from === target.id || !HONEST.has(code)) yield { check, why: `refused: ${message}` };
    else excused(target.id, 'refused', message.replaceAll(/'[^']{20,}'/g, '…'));
    return;
  }
  const wrong = from === target.id ? undefined : requestProblem(target.id, sent);
  if (wrong !== undefined) yield { check, why: wrong };
  const read = target.id === 'gemini' ? { ...sent, model: request.model, stream: request.stream } : sent;
  yield* losses(request, target.decodeRequest(read), notes.list, target.id, check, excused);
}

function* losses(
  request: ChatRequest,
  back: ChatRequest,
  notes: readonly Note[],
  target: ProtocolId,
  check: string,
  excused: Excused,
): Iterable<Problem> {
  const before = requestEssence(request);
  const after = requestEssence(back, request.tools);
  for (const [field, value] of before) {
    const now = after.get(field);
    if (now === value) continue;
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
