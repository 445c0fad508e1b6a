import { type Choice, GatewayError, gatewayFault, isObject, type Json, type JsonObject, type Reply } from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import { decodeSources } from './citations.ts';
import { given, withResidue } from './dialect.ts';
import { decodeErrorObject } from '../openai-error.ts';
import { unknownMembers } from '../../wire/fields.ts';
import { objects, str } from './fields.ts';
import { decodeChoiceParts } from './reply-parts.ts';
import { brokenOff, decodeStop } from './stops.ts';
import { decodeUsage, isUsage } from './usage.ts';

const REPLY = new Set(['id', 'object', 'created', 'model', 'choices', 'usage', 'service_tier']);

/** Members of a reply or a chunk that the shared language has no word for. */
export const replyResidue = (body: JsonObject): JsonObject => unknownMembers(body, REPLY);

/** Whether a body is an error where a reply was due. */
export const isError = (body: JsonObject): boolean => body['error'] !== undefined && body['error'] !== null && body['error'] !== '';

function decodeChoice(choice: JsonObject, body: JsonObject, context: SourceContext): Choice {
  const broken = brokenOff(choice['finish_reason']);
  if (isObject(choice['error'])) throw new GatewayError(decodeErrorObject({ error: choice['error'] }));
  if (broken) throw new GatewayError(broken);
  const parts = decodeChoiceParts(choice, context, (cited) => decodeSources(body, cited));
  return {
    parts,
    stop: decodeStop(
      choice['finish_reason'],
      parts.some((part) => part.kind === 'tool-call'),
    ),
  };
}

const indexOf = (choice: JsonObject): number => (typeof choice['index'] === 'number' ? choice['index'] : 0);

const tierOf = (tier: Json | undefined): string | undefined => (typeof tier === 'string' ? tier : undefined);

/** The usage that a body reports: its own, or where Groq puts it. */
export function usageIn(body: JsonObject): JsonObject | undefined {
  const groq = isObject(body['x_groq']) ? body['x_groq']['usage'] : undefined;
  return isUsage(body['usage']) ? body['usage'] : isUsage(groq) ? groq : undefined;
}

/** Reads a whole reply. Throws `GatewayError` when the body is an error, or is no reply. */
export function decodeReply(body: JsonObject, context: SourceContext): Reply {
  if (isError(body)) throw new GatewayError(decodeErrorObject(body));
  if (!Array.isArray(body['choices'])) {
    throw new GatewayError(
      gatewayFault('upstream', 'The upstream answered with something that is no chat completion', { code: 'upstream_bad_reply' }),
    );
  }
  const choices = objects(body['choices'])
    .toSorted((a, b) => indexOf(a) - indexOf(b))
    .map((choice) => decodeChoice(choice, body, context));
  const [first = { parts: [], stop: { reason: 'other' } } satisfies Choice, ...others] = choices;
  const usage = usageIn(body);
  return {
    id: str(body['id']),
    model: str(body['model']),
    ...given('createdAt', typeof body['created'] === 'number' ? body['created'] : undefined),
    ...first,
    ...(others.length > 0 ? { others } : {}),
    ...(usage ? { usage: decodeUsage(usage) } : {}),
    ...given('serviceTier', tierOf(body['service_tier'])),
    ...withResidue(replyResidue(body)),
  };
}
