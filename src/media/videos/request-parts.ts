import { badField, type JsonObject } from '../../ir/index.ts';
import type { MediaTarget } from '../codec.ts';
import type { VideoImage, VideoRequest } from './shape.ts';

/*
 * What requests of vendors have in common: images by their roles, and what cannot be said.
 */

/** An image as a data URI. */
export const dataUri = ({ mediaType, data }: VideoImage): string => `data:${mediaType};base64,${data.toString('base64')}`;

/** An image as bare base64. */
export const base64 = ({ data }: VideoImage): string => data.toString('base64');

/** Images by what they are to be. */
export interface Frames {
  readonly first?: VideoImage;
  readonly last?: VideoImage;
  readonly references: readonly VideoImage[];
}

const refuse = (image: VideoImage, why: string): Error => badField(image.at, `Invalid request: '${image.at}': ${why}`, 'not_supported');

/** What a vendor takes; more is refused, as the video would not be the one that was asked for. */
interface Takes {
  readonly last: boolean;
  /** How many references; several images that came together are references. */
  readonly references: number;
}

/** Sorts the images of a request; throws the 400 for those that the vendor does not take. */
export function framesOf({ images }: VideoRequest, takes: Takes): Frames {
  const last = images.find(({ role }) => role === 'last');
  const references = images.filter(({ role }) => role === 'reference');
  const first = images.find(({ role }) => role === undefined || role === 'first');
  if (last && !takes.last) throw refuse(last, 'this provider takes no last frame');
  const surplus = references[takes.references];
  if (surplus) {
    throw refuse(
      surplus,
      takes.references === 0 ? 'this provider takes one image, as the first frame' : `this provider takes ${takes.references} references`,
    );
  }
  return { references, ...(first ? { first } : {}), ...(last ? { last } : {}) };
}

/** Fields of a request that a vendor may not have. */
type Field = 'seconds' | 'size' | 'ratio' | 'resolution' | 'negativePrompt' | 'seed' | 'audio';

/** Notes what a vendor has no place for. Fields that only came with others (a ratio, of pixels) count once. */
export function noteLosses(request: VideoRequest, { notes }: MediaTarget, lacking: readonly Field[]): void {
  for (const field of lacking) {
    if (request[field] === undefined) continue;
    const isOfSize = (field === 'ratio' || field === 'resolution') && request.size !== undefined;
    if (!isOfSize) notes.add(request.names[field], 'dropped', 'this provider has no such setting for videos');
  }
  for (const name of Object.keys(request.rest)) notes.add(name, 'dropped', 'not a field of this provider');
}

/** A length that the vendor makes: the nearest of these, with a note where it is another. */
export function secondsFrom(request: VideoRequest, { notes }: MediaTarget, choices: readonly number[]): number | undefined {
  const { seconds, names } = request;
  if (seconds === undefined) return undefined;
  const nearest = choices.toSorted((a, b) => Math.abs(a - seconds) - Math.abs(b - seconds))[0] ?? seconds;
  if (nearest !== seconds) notes.add(names.seconds, 'approximated', `this provider makes ${choices.join(', ')} seconds`);
  return nearest;
}

/** A length within bounds, in whole seconds, with a note where it is another. */
export function secondsWithin(request: VideoRequest, { notes }: MediaTarget, least: number, most: number): number | undefined {
  const { seconds, names } = request;
  if (seconds === undefined) return undefined;
  const within = Math.min(most, Math.max(least, Math.round(seconds)));
  if (within !== seconds) notes.add(names.seconds, 'approximated', `this provider makes ${least} to ${most} seconds`);
  return within;
}

/** One of the words that a vendor has, or none with a note. */
export function wordFrom<W extends string>(
  value: string | undefined,
  words: readonly W[],
  name: string,
  { notes }: MediaTarget,
): W | undefined {
  if (value === undefined) return undefined;
  const found = words.find((word) => word.toLowerCase() === value.toLowerCase());
  if (!found) notes.add(name, 'dropped', `this provider has ${words.join(', ')}`);
  return found;
}

/** Members that are there. */
export function given(members: Readonly<Record<string, JsonObject[string] | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
