import { badField, type ChatRequest, isObject, parseObject, type Part, type Seal } from '../ir/index.ts';

/** Who the sandbox's seals belong to. */
export const SEAL_MAKER = 'sandbox';

/** Every seal of the sandbox begins so, before it is written as base64 (Google's SDKs decode and encode the field). */
const HEAD = 'sandbox/seal1:';

/** FNV-1a, 32 bits: enough to see that a seal was changed. http://www.isthe.com/chongo/tech/comp/fnv/ */
export function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** `details`: the value of a chat dialect's seal is the JSON of its whole `reasoning_details` list. */
export type SealForm = 'bare' | 'details';

/** The sealed form of a thought, as it goes on the wire. */
export function sealValue(thought: string, form: SealForm = 'bare'): string {
  const mark = checksum(thought);
  const signature = Buffer.from(`${HEAD}${mark}:${checksum(HEAD + mark)}`).toString('base64');
  if (form === 'bare') return signature;
  return JSON.stringify([{ type: 'reasoning.encrypted', data: signature, format: 'unknown', index: 0 }]);
}

/** The signature in a seal, whichever form it has. */
function signatureIn(value: string): string {
  const list = value.startsWith('[') ? parseObject(`{"list":${value}}`)?.['list'] : undefined;
  const signed = Array.isArray(list) ? list.find((one) => isObject(one) && typeof one['data'] === 'string') : undefined;
  return isObject(signed) ? String(signed['data']) : value;
}

type Verdict = 'own' | 'foreign' | 'damaged';

function judge(seal: string): Verdict {
  const value = signatureIn(seal);
  const text = Buffer.from(value, 'base64').toString('latin1');
  if (!text.startsWith(HEAD)) return 'foreign';
  const [mark = '', check] = text.slice(HEAD.length).split(':');
  return check === checksum(HEAD + mark) ? 'own' : 'damaged';
}

const sealsOf = (part: Part): readonly Seal[] => ('seal' in part && part.seal ? [part.seal] : []);

/** Seals that came back with a conversation: the sandbox's own, and those of others (which it ignores, as a provider should never see them). */
export interface ReturnedSeals {
  readonly own: number;
  readonly foreign: number;
}

/** Counts the seals in a conversation. Throws the 400 that vendors answer with when one of its own was changed. */
export function returnedSeals(request: ChatRequest): ReturnedSeals {
  let own = 0;
  let foreign = 0;
  for (const [index, turn] of request.turns.entries()) {
    for (const seal of turn.parts.flatMap(sealsOf)) {
      const verdict = judge(seal.value);
      if (verdict === 'damaged') throw badField(`messages[${index}]`, `Invalid signature in turn ${index}: it was changed on its way`);
      if (verdict === 'own') own++;
      else foreign++;
    }
  }
  return { own, foreign };
}
