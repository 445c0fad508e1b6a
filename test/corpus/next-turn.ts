import {
  createNotes,
  GatewayError,
  isObject,
  type Json,
  type JsonObject,
  type Part,
  type ProtocolId,
  SEAL_MARK,
} from '../../src/ir/index.ts';
import { callIdsOf, sealsOf } from './essence.ts';
import type { Codec } from './replay.ts';
import { factsProblem, requestProblem } from './request-grammar.ts';
import type { Problem } from './reply-checks.ts';
import { PLAIN, type Target, VENDORS } from './targets.ts';

const list = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : []);
const inside = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

function chat(reply: JsonObject): JsonObject {
  const message = inside(list(reply['choices'])[0]?.['message']);
  const results = list(message['tool_calls']).map((call) => ({ role: 'tool', tool_call_id: call['id'], content: 'done' }));
  const older = isObject(message['function_call']) ? [{ role: 'function', name: message['function_call']['name'], content: 'done' }] : [];
  return { model: 'm', messages: [{ role: 'user', content: 'q' }, message, ...results, ...older, { role: 'user', content: 'and?' }] };
}

function anthropic(reply: JsonObject): JsonObject {
  const content = list(reply['content']);
  const results = content
    .filter((block) => block['type'] === 'tool_use')
    .map((block) => ({ type: 'tool_result', tool_use_id: block['id'], content: 'done' }));
  const answer = content.length > 0 ? [{ role: 'assistant', content }] : [];
  return {
    model: 'm',
    max_tokens: 4096,
    messages: [{ role: 'user', content: 'q' }, ...answer, { role: 'user', content: [...results, { type: 'text', text: 'and?' }] }],
  };
}

const OUTPUTS: Readonly<Record<string, string>> = { function_call: 'function_call_output', custom_tool_call: 'custom_tool_call_output' };

function responses(reply: JsonObject): JsonObject {
  const output = list(reply['output']);
  const results = output.flatMap((item) => {
    const type = OUTPUTS[String(item['type'])];
    return type === undefined ? [] : [{ type, call_id: item['call_id'], output: 'done' }];
  });
  return { model: 'm', input: [{ role: 'user', content: 'q' }, ...output, ...results, { role: 'user', content: 'and?' }] };
}

function gemini(reply: JsonObject): JsonObject {
  const content = inside(list(reply['candidates'])[0]?.['content']);
  const parts = list(content['parts']);
  const results = parts.flatMap((part) => {
    const { id, name } = inside(part['functionCall']);
    return name === undefined ? [] : [{ functionResponse: { ...(id === undefined ? {} : { id }), name, response: { result: 'done' } } }];
  });
  const answer = parts.length > 0 ? [content] : [];
  return {
    model: 'm',
    stream: false,
    contents: [{ role: 'user', parts: [{ text: 'q' }] }, ...answer, { role: 'user', parts: [...results, { text: 'and?' }] }],
  };
}

/** The reply as a client sends it back, with results of its calls and its next question, in the client's own dialect. */
function nextRequest(client: ProtocolId, reply: JsonObject): JsonObject {
  switch (client) {
    case 'openai-responses':
      return responses(reply);
    case 'anthropic-messages':
      return anthropic(reply);
    case 'gemini':
      return gemini(reply);
    default:
      return chat(reply);
  }
}

/** Sealed state of others, and tokens of ours, mean nothing to a target: it would refuse them. */
function sealProblem(sent: string, seals: readonly string[], isHome: boolean): string | undefined {
  if (sent.includes(SEAL_MARK)) return 'a token of ours is sent';
  // A chat dialect's members stand among others, without the braces of the seal.
  const found = seals.map((seal) => seal.slice(seal.indexOf(' ') + 1).replace(/^\{(.+)\}$/s, '$1')).filter((value) => value.length > 20);
  const there = found.filter((value) => sent.includes(JSON.stringify(value).slice(1, -1)) || sent.includes(value));
  if (isHome)
    return there.length === found.length ? undefined : `${found.length - there.length} of ${found.length} seals are not sent back`;
  return there.length > 0 ? `a seal of another maker is sent: ${there[0]?.slice(0, 80)}` : undefined;
}

/**
 * The next turn of a conversation, whose last reply a client of one dialect got: ids and sealed state have come back, the
 * maker of the state gets it again, and any other provider takes the conversation as well.
 */
export function* nextTurnProblems(client: Codec, upstream: ProtocolId, reply: JsonObject, parts: readonly Part[]): Iterable<Problem> {
  const next = client.decodeRequest(nextRequest(client.id, reply));
  const returned = next.turns.filter((turn) => turn.role === 'assistant').flatMap((turn) => turn.parts);
  const [ids, idsBack] = [callIdsOf(parts), callIdsOf(returned)];
  if (JSON.stringify(ids) !== JSON.stringify(idsBack))
    yield { check: `ids → ${client.id}`, why: `${ids.join(' ')} came back as ${idsBack.join(' ')}` };
  const [seals, back] = [sealsOf(parts), sealsOf(returned)];
  const lost = seals.filter((seal) => !back.includes(seal));
  if (lost.length > 0) yield { check: `seals → ${client.id}`, why: `${lost.length} of ${seals.length} lost: ${lost[0]?.slice(0, 120)}` };
  for (const target of [...PLAIN.filter((one) => one.codec.id === upstream), ...VENDORS])
    yield* turnProblems(client, next, target, seals, upstream);
}

function* turnProblems(
  client: Codec,
  next: ReturnType<Codec['decodeRequest']>,
  target: Target,
  seals: readonly string[],
  upstream: ProtocolId,
): Iterable<Problem> {
  const check = `next turn of ${client.id} → ${target.name}`;
  const { codec, facts, maker } = target;
  let sent: JsonObject;
  try {
    sent = codec.encodeRequest(next, { model: 'm', facts, maker, notes: createNotes() });
  } catch (error) {
    if (error instanceof GatewayError && error.fault.code === 'unsupported_content') return;
    throw error;
  }
  // What we told the client must be taken by anybody of its own dialect too.
  const wrong =
    client.id === codec.id && upstream === client.id ? undefined : (requestProblem(codec.id, sent) ?? factsProblem(codec.id, sent, facts));
  if (wrong !== undefined) yield { check, why: wrong };
  const isHome = target.codec.id === upstream && PLAIN.includes(target);
  // Within a dialect a client is taken at its word.
  if (client.id === codec.id && !isHome) return;
  const mislaid = sealProblem(JSON.stringify(sent), seals, isHome);
  if (mislaid !== undefined) yield { check, why: mislaid };
}
