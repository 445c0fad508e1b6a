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

/** The family that is asked for at a path of an upstream; `undefined`: chat, or nothing that is known. */
function familyAt(path: string): Family | undefined {
  // What only speaks may be asked to chat, by a body that is spoiled.
  const placed = FAMILIES.find(
    ({ below, type }) => below !== undefined && path.includes(below) && (type !== 'audio/pcm' || path.endsWith('/speech')),
  );
  const asked = MEDIA_FAMILIES.filter(({ below, name }) => below === undefined || name.startsWith('video')).map((family) => ({
    family,
    wanted: family.ask('').path.split('?')[0] ?? '',
  }));
  // Of a path that holds the model its verb: evil models come through as well.
  const verb = (wanted: string): string => wanted.slice(Math.max(wanted.lastIndexOf('/'), wanted.lastIndexOf(':')));
  return (
    placed ??
    asked.find(({ wanted }) => path.endsWith(wanted))?.family ??
    asked.find(({ wanted }) => path.endsWith(verb(wanted)))?.family ??
    FAMILIES.find(
      ({ name, isStream }) => !isStream && DIALECTS.some(({ id, path: at }) => name === id && path.endsWith(at('', false).slice(3))),
    )
  );
}

/** An upstream that is well: it answers as the endpoint of the path does. */
export const wellAt: Behaviour = ({ path }, response) => {
  const family = familyAt(path);
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
