import { isObject, type Json, type JsonObject, parseObject } from '../../ir/index.ts';
import type { Segment } from './shape.ts';

/** Text. */
export const textAt = (object: JsonObject, key: string): string | undefined => {
  const value = object[key];
  return typeof value === 'string' ? value : undefined;
};

/** A number. */
export const numberAt = (object: JsonObject, key: string): number | undefined => {
  const value = object[key];
  return typeof value === 'number' ? value : undefined;
};

/** The objects of a list. */
export const objectsAt = (object: JsonObject, key: string): readonly JsonObject[] | undefined => {
  const value: Json | undefined = object[key];
  return Array.isArray(value) ? value.filter((one) => isObject(one)) : undefined;
};

/** Segments or words, which vendors write alike but for some names. */
export function readSegments(
  list: readonly JsonObject[] | undefined,
  textKey: 'text' | 'word',
  speakerKey = 'speaker',
): readonly Segment[] | undefined {
  return list?.flatMap((one) => {
    const text = textAt(one, textKey);
    const [start, end] = [numberAt(one, 'start'), numberAt(one, 'end')];
    const speaker = textAt(one, speakerKey);
    if (text === undefined || start === undefined || end === undefined) return [];
    return [{ text, start, end, ...(speaker === undefined ? {} : { speaker }) }];
  });
}

/** A JSON answer with a text in it; throws where there is none. */
export function answerWithText(body: Buffer): JsonObject & { readonly text: string } {
  const reply = parseObject(body.toString('utf8'));
  if (!reply || typeof reply['text'] !== 'string') throw new Error('a transcript without text');
  return { ...reply, text: reply['text'] };
}
