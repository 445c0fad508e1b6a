import type { IncomingMessage } from 'node:http';
import {
  badField,
  GatewayError,
  gatewayFault,
  isObject,
  type Json,
  type JsonObject,
  missingField,
  parseObject,
} from '../../../ir/index.ts';
import { runMedia } from '../../../exchange/media/media-exchange.ts';
import { makeCharacter } from '../../../exchange/media/videos.ts';
import { optionalString, requiredString } from '../../../wire/fields.ts';
import type { MediaOperation } from '../endpoints.ts';
import { type GatewayPorts, respondJson, type Visit } from '../visit.ts';
import { fingerprintOf, onlyOnce } from '../idempotency.ts';
import { mediaCall } from './read-json.ts';
import { piecesOf, readVideoBody, type VideoBody, videoFileIn } from './videos-read.ts';
import { whileThere } from './while-there.ts';

/*
 * Characters, for providers that have them: made of a video, and named in requests for others. What clients know one by is ours;
 * whose it is and what the provider calls it is kept.
 */

const PREFIX = 'char_';
/** Providers keep them until they are deleted. */
const KEEP_MS = 10 * 365 * 86_400_000;

/** The operation with the model that is meant where none is named: the first provider's that has a usual one. */
export function withUsualModel(visit: Visit, operation: MediaOperation, fields: JsonObject): MediaOperation {
  if (optionalString(fields, 'model') !== undefined) return operation;
  const { platform } = visit.path;
  for (const { name, media } of visit.snapshot.providers.values()) {
    if (platform !== undefined && name !== platform) continue;
    const usual = media.find(({ ability }) => ability === 'videos')?.wire.options?.['usual'];
    if (typeof usual === 'string') return { ...operation, model: platform === undefined ? `${name}/${usual}` : usual };
  }
  throw missingField('model');
}

/** What is kept of one. */
interface Character {
  readonly provider: string;
  readonly remoteId: string;
  readonly name: string | null;
  readonly createdAt: number;
}

const shown = (id: string, { name, createdAt }: Character): JsonObject => ({ id, object: 'video.character', name, created_at: createdAt });

async function found(visit: Visit, id: string, ports: GatewayPorts, signal?: AbortSignal): Promise<Character | undefined> {
  const media = id.startsWith(PREFIX) ? await ports.mediaStore.find(id.slice(PREFIX.length)) : undefined;
  if (!media || media.owner !== visit.key.id || media.mediaType !== 'application/json') return undefined;
  return parseObject((await ports.mediaStore.whole(media, signal)).toString('utf8')) as unknown as Character | undefined;
}

async function make(visit: Visit, operation: MediaOperation, body: VideoBody, ports: GatewayPorts): Promise<void> {
  const name = requiredString(body.fields, 'name');
  const file = videoFileIn(body);
  if (!file) throw missingField('video');
  const call = mediaCall(visit, withUsualModel(visit, operation, body.fields), body);
  await runMedia(call, visit.sink, ports, async (context) => {
    const made = await makeCharacter(context, name, file);
    const character: Character = {
      provider: context.provider.name,
      remoteId: made.id,
      name: made.name ?? name,
      createdAt: made.createdAt ?? Math.floor(ports.clock.now() / 1000),
    };
    const about = { mediaType: 'application/json', owner: visit.key.id, expiresAt: ports.clock.now() + KEEP_MS };
    const { id } = await ports.mediaStore.put(Buffer.from(JSON.stringify(character)), about);
    context.reply(shown(PREFIX + id, character));
  });
}

/** POST /v1/videos/characters. */
export async function createCharacter(
  visit: Visit,
  operation: MediaOperation,
  request: IncomingMessage,
  ports: GatewayPorts,
): Promise<void> {
  const body = await readVideoBody(visit, request);
  await onlyOnce(visit, ports, {
    about: { operation: operation.ability, asked: '' },
    fingerprint: () => fingerprintOf(visit, piecesOf(body)),
    work: (within) => make(within, operation, body, ports),
  });
}

/** GET /v1/videos/characters/{id}. */
export async function retrieveCharacter(visit: Visit, id: string, ports: GatewayPorts): Promise<void> {
  await whileThere(visit.sink, async (signal) => {
    const character = await found(visit, id, ports, signal);
    if (!character) {
      throw new GatewayError(
        gatewayFault('not_found', 'There is no such character for this key', { param: 'character_id', code: 'character_not_found' }),
      );
    }
    respondJson(visit, 200, shown(id, character));
  });
}

/** A request's `characters` as its provider knows them. Throws the 400 for those that are not this key's, or another provider's. */
export async function withCharacters(rest: JsonObject, provider: string, visit: Visit, ports: GatewayPorts): Promise<JsonObject> {
  const list = rest['characters'];
  if (!Array.isArray(list)) return rest;
  const characters: Json[] = [];
  for (const [index, one] of (list as readonly Json[]).entries()) {
    const id = isObject(one) ? one['id'] : one;
    const character = typeof id === 'string' ? await found(visit, id, ports) : undefined;
    if (!character || character.provider !== provider) {
      throw badField(`characters[${index}].id`, `Invalid request: 'characters[${index}].id' is no character of this key at '${provider}'`);
    }
    characters.push(isObject(one) ? { ...one, id: character.remoteId } : character.remoteId);
  }
  return { ...rest, characters };
}
