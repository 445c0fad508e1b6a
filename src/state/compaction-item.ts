import { badField, isObject, type JsonObject, parseObject } from '../ir/index.ts';
import type { Sealer } from './ports.ts';

/*
 * A compaction item of the gateway's own: what stood in a window of items, as the model summed it up, sealed with the
 * gateway's key for the client key that asked. It says nothing to a provider; where a request holds one it is opened and
 * becomes a message again, so that it can be continued on any provider, also on another one than summed it up. Compaction
 * items of a provider are left as they are.
 */

/** What every one begins with, to tell it from a provider's. */
const MARK = 'pailou-compaction-1.';

const contextOf = (owner: string): string => `compaction ${owner}`;

/** Words that the summary is handed on with. */
const HANDED_ON =
  'What follows sums up the conversation until here, which is no longer shown in full. Go on from it as if you had taken part:\n\n';

/** A summary as a compaction item, which only requests of this key can use. */
export function compactionItem(summary: string, owner: string, id: string, sealer: Sealer): JsonObject {
  const sealed = sealer.seal(Buffer.from(JSON.stringify({ summary })), contextOf(owner));
  return { id, type: 'compaction', encrypted_content: MARK + sealed.toString('base64url') };
}

function opened(item: JsonObject, owner: string, sealer: Sealer, param: string): JsonObject {
  const content = String(item['encrypted_content']).slice(MARK.length);
  const plain = sealer.open(Buffer.from(content, 'base64url'), contextOf(owner));
  const summary = plain && parseObject(plain.toString('utf8'))?.['summary'];
  if (typeof summary !== 'string') {
    throw badField(`${param}.encrypted_content`, `Invalid request: '${param}.encrypted_content' was not made for this key, or was changed`);
  }
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text: HANDED_ON + summary }] };
}

/** Whether an item was compacted here. */
export const isOurs = (item: JsonObject): boolean => {
  const content = isObject(item) && item['type'] === 'compaction' ? item['encrypted_content'] : undefined;
  return typeof content === 'string' && content.startsWith(MARK);
};

/** Items with the gateway's own compaction items opened. Throws the 400 for one that does not open. */
export async function openCompactions(
  items: readonly JsonObject[],
  owner: string,
  sealer: () => Promise<Sealer>,
  param = 'input',
): Promise<readonly JsonObject[]> {
  if (!items.some(isOurs)) return items;
  const opener = await sealer();
  return items.map((item, index) => (isOurs(item) ? opened(item, owner, opener, `${param}[${index}]`) : item));
}
