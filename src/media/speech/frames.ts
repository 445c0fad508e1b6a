import { GatewayError, gatewayFault, type JsonObject, parseObject } from '../../ir/index.ts';
import { collected } from '../../wire/collected.ts';
import { createSseReader } from '../../wire/sse.ts';

/** Answers that carry sound as text: a second of it is some 64 KB. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;
/** Sound that is told whole: twenty minutes of samples. */
const MAX_SOUND_BYTES = 64 * 1024 * 1024;

/** Bytes of sound in one event at most: what is large is held in each of its forms for a client that does not read. */
const EVENT_BYTES = 12 * 1024;

/** Sound cut for events. Whole 16-bit samples stay whole. */
export function* inEvents(sound: Buffer): Generator<Buffer> {
  for (let at = 0; at < sound.length; at += EVENT_BYTES) yield sound.subarray(at, at + EVENT_BYTES);
}

/** What a provider sent is no sound. */
export const noSound = (why = 'The upstream answered without any audio'): GatewayError =>
  new GatewayError(gatewayFault('upstream', why, { code: 'upstream_malformed' }));

/** The JSON objects of a stream of events; what is not JSON (`[DONE]`) is passed over. */
export async function* eventObjects(body: AsyncIterable<Buffer>): AsyncGenerator<JsonObject> {
  const reader = createSseReader();
  let found: JsonObject[] = [];
  const take = ({ data }: { readonly data: string }): void => {
    const object = parseObject(data);
    if (object) found.push(object);
  };
  for await (const bytes of body) {
    reader.push(bytes, take);
    const now = found;
    found = [];
    yield* now;
  }
  reader.end(take);
  yield* found;
}

/** A whole JSON answer; throws where it is none. */
export async function wholeObject(body: AsyncIterable<Buffer>): Promise<JsonObject> {
  const bytes = await collected(body, MAX_JSON_BYTES, () => noSound('The upstream answered with more than can be held'));
  const object = parseObject(bytes.toString('utf8'));
  if (!object) throw noSound('The upstream answered with something that cannot be read');
  return object;
}

/** All of a sound, for an answer that tells it whole; throws where it is more than one answer holds. */
export const wholeSound = (audio: AsyncIterable<Buffer>): Promise<Buffer> =>
  collected(
    audio,
    MAX_SOUND_BYTES,
    () => new GatewayError(gatewayFault('upstream', 'The speech is longer than one answer holds: stream it', { code: 'answer_too_large' })),
  );

/** Whether a header's media type has this word in it. */
export const isType = (headers: Readonly<Record<string, string | string[] | undefined>>, word: string): boolean =>
  String(headers['content-type'] ?? '')
    .toLowerCase()
    .includes(word);
