// Bodies of the endpoints besides chat with something wrong in them, and what is wrong with an answer.
import fc from 'fast-check';
import { FAMILIES, type Family } from '../fakes/fault-families.ts';
import type { Behaviour } from '../fakes/fault-upstream.ts';
import { chat, DIALECTS, gemini, messages, responses } from './dialects.ts';
import { changed, EVIL, JSON_PIECES, placesIn } from './evil-bodies.ts';

/** Every family besides chat. */
export const MEDIA_FAMILIES: readonly Family[] = FAMILIES.filter(({ name }) => !DIALECTS.some(({ id }) => name.startsWith(id)));

/** What is put into texts. */
const PIECES = ['', ...JSON_PIECES, '\r\n', '--', ';', '='];

/** An upstream that is well: it answers as the endpoint of the path does. */
export const wellAt: Behaviour = ({ path, body }, response) => {
  const isStream = body.includes('"stream":true');
  const family = MEDIA_FAMILIES.find((one) => {
    if (path.includes(one.below ?? '/legacy/')) return one.below !== undefined && one.isStream === isStream;
    const [wanted = ''] = one.ask('').path.split('?');
    // Of a path that holds the model its verb: evil models come through as well.
    return path.endsWith(wanted.slice(Math.max(wanted.lastIndexOf('/'), wanted.lastIndexOf(':'))));
  });
  response.writeHead(200, { 'content-type': family?.type ?? 'application/json' });
  for (const piece of family?.pieces ?? []) response.write(piece);
  response.end();
};

/** A family's body with one to three things wrong in its values, or in its bytes. */
export function mutantOf(family: Family): fc.Arbitrary<Buffer> {
  const { type, body } = family.ask('x');
  const cut = fc.tuple(fc.nat({ max: body.length }), fc.nat({ max: 8 }), fc.constantFrom(...PIECES));
  const inBytes = fc
    .array(cut, { minLength: 1, maxLength: 3 })
    .map((cuts) =>
      cuts.reduce((so, [at, many, put]) => Buffer.concat([so.subarray(0, at), Buffer.from(put), so.subarray(at + many)]), body),
    );
  if (type !== 'application/json') return inBytes;
  const good: unknown = JSON.parse(body.toString());
  const places = placesIn(good).filter(([first]) => first !== undefined && first !== 'model');
  const inValues = fc
    .tuple(fc.constantFrom(...places), EVIL)
    .map(([place, evil]) => Buffer.from(JSON.stringify(changed(good, place, evil)) ?? ''));
  return fc.oneof(inBytes, inValues);
}

/** What is wrong with an answer to such a body; `undefined`: nothing. */
export function wrongWith(family: Family, status: number, text: string): string | undefined {
  if (status === 200) return undefined;
  if (status < 400 || status >= 500) return `status ${status}: ${text.slice(0, 300)}`;
  const { path } = family.ask('');
  const dialect = path.includes('/messages')
    ? messages
    : path.startsWith('/v1beta')
      ? gemini
      : path.includes('/responses')
        ? responses
        : chat;
  try {
    dialect.envelope(JSON.parse(text), status);
    return undefined;
  } catch {
    return `no envelope: ${text.slice(0, 300)}`;
  }
}
