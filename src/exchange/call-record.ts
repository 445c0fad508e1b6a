import { type Notes, TOKEN_CLASSES, type Usage } from '../ir/index.ts';
import type { Call } from './call.ts';
import type { CallRecord } from './ports.ts';

/** The status of a call whose client did not wait for one (nginx's word for it). */
export const CLIENT_GONE = 499;

/** Whose call it was, and what it asked for: what every record begins with. */
export function recordHead(
  { id, label, at, key, client, snapshot }: Pick<Call, 'id' | 'label' | 'at' | 'key' | 'client' | 'snapshot'>,
  operation: string,
  asked: string,
): Pick<CallRecord, 'id' | 'label' | 'at' | 'key' | 'protocol' | 'operation' | 'asked' | 'revision' | 'config'> {
  const head = {
    id,
    at,
    key: key.name,
    protocol: client.id,
    operation,
    asked,
    revision: snapshot.revision,
    config: snapshot.fingerprint,
  };
  return label === undefined ? head : { ...head, label };
}

/** What was used, class by class; what nobody reported is absent. */
export function recordUsage(usage: Usage | undefined): Partial<CallRecord> {
  if (!usage) return {};
  const counted: { -readonly [K in (typeof TOKEN_CLASSES)[number]]?: number } & { input: number; output: number; estimated?: boolean } = {
    input: usage.input,
    output: usage.output,
  };
  for (const name of TOKEN_CLASSES) if (usage[name] !== undefined) counted[name] = usage[name];
  if (usage.estimated === true) counted.estimated = true;
  return counted;
}

/** Notes as a record has them: `field;what, …`. */
export const recordNotes = (notes: Notes | undefined): Pick<CallRecord, 'notes'> =>
  notes && notes.list.length > 0 ? { notes: notes.list.map((note) => `${note.field};${note.what}`).join(', ') } : {};
