import { badField, isObject, type Json, type JsonObject } from '../../ir/index.ts';
import type { AudioFormat } from '../../media/audio/formats.ts';
import { optionalObject, optionalString } from '../../wire/fields.ts';

/*
 * What chat says of sound, read without what makes any: a server starts without that.
 */

/** The sound that a client of chat wants. */
export interface WantedAudio {
  readonly voice?: string;
  readonly format: AudioFormat;
}

const FORMATS: Readonly<Record<string, AudioFormat>> = { wav: 'wav', mp3: 'mp3', flac: 'flac', opus: 'opus', aac: 'aac', pcm16: 'pcm' };

/** What a body asks for; `undefined`: no audio. Throws the 400 that names the field. */
export function wantedAudio(body: JsonObject): WantedAudio | undefined {
  const { modalities } = body;
  if (!Array.isArray(modalities) || !modalities.includes('audio')) return undefined;
  const audio = optionalObject(body, 'audio') ?? {};
  const { voice: named } = audio;
  const voice = isObject(named) ? optionalString(named, 'id', 'audio.voice') : optionalString(audio, 'voice', 'audio');
  const asked = optionalString(audio, 'format', 'audio') ?? 'wav';
  const format = FORMATS[asked];
  if (!format) throw badField('audio.format', `Invalid request: 'audio.format' must be one of ${Object.keys(FORMATS).join(', ')}`);
  if (body['n'] !== undefined && body['n'] !== null && body['n'] !== 1)
    throw badField('n', "Invalid request: 'n' must be 1 where audio is asked for");
  return { format, ...(voice === undefined ? {} : { voice }) };
}

/** Our own ids hold what was said: the next turn needs it, and nothing is kept. */
const ID_PREFIX = 'audio_t_';

/** An id of ours for what was said. */
export const idOf = (text: string): string => ID_PREFIX + Buffer.from(text).toString('base64url');

/** A client's earlier turns with what was said in place of the ids that stand for it. */
export function withTranscripts(body: JsonObject): JsonObject {
  const { messages } = body;
  if (!Array.isArray(messages)) return body;
  const spoken = messages.map((message: Json) => {
    if (!isObject(message) || !isObject(message['audio'])) return message;
    const { audio, ...rest } = message;
    const { id } = audio as JsonObject;
    if (typeof id !== 'string' || !id.startsWith(ID_PREFIX)) return message;
    return { ...rest, content: Buffer.from(id.slice(ID_PREFIX.length), 'base64url').toString('utf8') };
  });
  return { ...body, messages: spoken };
}

/** Whether a body holds an id of ours. */
export const holdsTranscript = (body: Buffer): boolean => body.includes(ID_PREFIX);
