import type { IncomingHttpHeaders } from 'node:http';
import { isObject, type JsonObject } from '../ir/index.ts';
import type { Caller } from '../policy/routes/strategies.ts';

/** Headers in which agents and SDKs name a conversation. */
export const SESSION_HEADERS = [
  'x-session-id',
  'session-id',
  'session_id',
  'x-claude-code-session-id',
  'conversation_id',
  'x-session-affinity',
  'x-opencode-session',
];

/** Enough of a name to tell it apart. */
const MAX_NAME = 512;

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value.slice(0, MAX_NAME) : undefined);

const member = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined);

const userOf = (body: JsonObject): string | undefined =>
  textOf(body['user']) ?? textOf(body['safety_identifier']) ?? textOf(member(body['metadata'], 'user_id'));

function sessionIn(headers: IncomingHttpHeaders, body: JsonObject): string | undefined {
  for (const name of SESSION_HEADERS) {
    const value = textOf(headers[name]);
    if (value !== undefined) return value;
  }
  const user = textOf(member(body['metadata'], 'user_id'));
  // Claude Code writes the session into it; a bare user has many conversations.
  const inUser = user === undefined ? undefined : /session[_-]?(?:id)?\W*([\w-]{8,})/i.exec(user)?.[1];
  return textOf(body['prompt_cache_key']) ?? textOf(body['session_id']) ?? inUser;
}

/** So much of a prompt tells conversations apart; what providers keep of prompts begins at a thousand tokens or so. */
const MAX_PREFIX = 16 * 1024;

const isUsers = (message: unknown): boolean => member(message, 'role') === 'user' || member(message, 'role') === undefined;

/** The part of a prompt that stays as a conversation goes on: what the model is told, and what was asked first. */
function prefixOf(body: JsonObject): string | undefined {
  const told = body['system'] ?? body['instructions'] ?? body['systemInstruction'];
  const said = body['messages'] ?? body['contents'] ?? body['input'] ?? body['prompt'];
  const first = Array.isArray(said) ? said.slice(0, said.findIndex(isUsers) + 1 || 1) : said;
  if (told === undefined && first === undefined) return undefined;
  return JSON.stringify([told, first], (name, value: unknown) => (name === 'cache_control' ? undefined : value)).slice(0, MAX_PREFIX);
}

/** Who calls, as far as routes may go by it: by the session that an agent names, else by how its prompt begins. */
export function readCaller(headers: IncomingHttpHeaders, body: JsonObject, address: string | undefined): Caller {
  const user = userOf(body);
  const session = sessionIn(headers, body) ?? prefixOf(body);
  return {
    ...(address === undefined ? {} : { client: address }),
    ...(user === undefined ? {} : { user }),
    ...(session === undefined ? {} : { session }),
  };
}
