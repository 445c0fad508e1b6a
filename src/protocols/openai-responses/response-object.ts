import { isObject, type Json, type JsonObject, type Reply, type Usage, wordTable } from '../../ir/index.ts';
import type { ReplyContext } from '../protocol.ts';
import { residueOf } from './dialect.ts';
import { encodeUsage } from './usage.ts';

const or = (value: Json | undefined, otherwise: Json): Json => (value === undefined || value === null ? otherwise : value);

/** A tool as it is told back: OpenAI's specification asks for `strict` beside a function's other members. */
function echoTool(tool: Json): Json {
  if (!isObject(tool)) return tool;
  if (tool['type'] === 'namespace' && Array.isArray(tool['tools']))
    return { ...tool, tools: (tool['tools'] as readonly Json[]).map(echoTool) };
  if (tool['type'] !== 'function') return tool;
  return { ...tool, description: tool['description'] ?? null, parameters: tool['parameters'] ?? null, strict: tool['strict'] ?? null };
}

const echoTools = (tools: Json | undefined): Json => (Array.isArray(tools) ? (tools as readonly Json[]).map(echoTool) : []);

function echoText(text: Json | undefined): Json {
  const said = isObject(text) ? text : {};
  return { ...said, format: said['format'] ?? { type: 'text' }, verbosity: said['verbosity'] ?? 'medium' };
}

function echoReasoning(reasoning: Json | undefined): Json {
  const said = isObject(reasoning) ? reasoning : {};
  return { ...said, effort: said['effort'] ?? null, summary: said['summary'] ?? said['generate_summary'] ?? null };
}

const echoConversation = ({ conversation }: JsonObject): JsonObject => {
  if (conversation === undefined || conversation === null) return {};
  return { conversation: typeof conversation === 'string' ? { id: conversation } : conversation };
};

/** What a response says of the request that it answers, with the API's own defaults where that was silent. */
function echoOf(body: JsonObject): JsonObject {
  return {
    access_programs: null,
    background: or(body['background'], false),
    ...echoConversation(body),
    frequency_penalty: or(body['frequency_penalty'], 0),
    instructions: or(body['instructions'], null),
    max_output_tokens: or(body['max_output_tokens'], null),
    max_tool_calls: or(body['max_tool_calls'], null),
    metadata: or(body['metadata'], {}),
    parallel_tool_calls: or(body['parallel_tool_calls'], true),
    presence_penalty: or(body['presence_penalty'], 0),
    previous_response_id: or(body['previous_response_id'], null),
    ...(isObject(body['prompt']) ? { prompt: body['prompt'] } : {}),
    prompt_cache_key: or(body['prompt_cache_key'], null),
    prompt_cache_retention: or(body['prompt_cache_retention'], null),
    reasoning: echoReasoning(body['reasoning']),
    safety_identifier: or(body['safety_identifier'], null),
    service_tier: or(body['service_tier'], 'auto'),
    store: or(body['store'], true),
    temperature: or(body['temperature'], 1),
    text: echoText(body['text']),
    tool_choice: or(body['tool_choice'], 'auto'),
    tools: echoTools(body['tools']),
    top_logprobs: or(body['top_logprobs'], 0),
    top_p: or(body['top_p'], 1),
    truncation: or(body['truncation'], 'disabled'),
    user: or(body['user'], null),
  };
}

/** The response's id: one that the gateway has given, the upstream's, or a new one. */
const replyId = (id: string, context: ReplyContext): string => context.replyId ?? (id === '' ? context.newId('resp_') : id);

/** What of a response changes while it comes. */
export interface Snapshot {
  readonly status: string;
  readonly output: readonly JsonObject[];
  readonly usage?: Usage | undefined;
  readonly serviceTier?: string | undefined;
  readonly completedAt?: number | undefined;
  readonly error?: JsonObject;
  readonly incomplete_details?: JsonObject | null;
}

type Head = Pick<Reply, 'id' | 'model' | 'createdAt' | 'serviceTier' | 'residue'>;

/** Words of other dialects for a tier, in this one's. */
const TIERS: Readonly<Record<string, string>> = wordTable({ standard: 'default', on_demand: 'default' });

/** Prints responses of one reply. What stays the same is put together once. */
export function responseWriter(head: Head, context: ReplyContext): (snapshot: Snapshot) => JsonObject {
  const created_at = head.createdAt ?? context.now();
  const id = replyId(head.id, context);
  const same = { ...echoOf(context.body), ...residueOf(head) };
  return ({ status, output, usage, serviceTier, completedAt, error, incomplete_details }) => {
    const tier = serviceTier ?? head.serviceTier;
    return {
      ...same,
      id,
      object: 'response',
      created_at,
      status,
      completed_at: completedAt ?? null,
      error: error ?? null,
      incomplete_details: incomplete_details ?? null,
      model: head.model,
      output,
      ...(tier === undefined ? {} : { service_tier: TIERS[tier] ?? tier }),
      usage: usage ? encodeUsage(usage) : null,
    };
  };
}
