import { isObject, parseObject } from '../../ir/index.ts';
import type { CallRecord } from '../../exchange/ports.ts';

/** A call as a row. */
export interface RequestRow {
  /** In the order in which they were written: what pages go by, within every index. */
  readonly n: number;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly key: string;
  readonly protocol: string;
  readonly operation: string;
  readonly asked: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly upstream: string | null;
  readonly lane: string | null;
  readonly stream: number;
  readonly status: number;
  readonly attempts: number;
  readonly duration_ms: number;
  readonly first_token_ms: number | null;
  readonly input: number | null;
  readonly output: number | null;
  readonly cache_read: number | null;
  readonly cache_write: number | null;
  readonly reasoning: number | null;
  readonly stop: string | null;
  readonly fault: string | null;
  readonly ended_by: string;
  readonly failed: string | null;
  readonly notes: string | null;
  readonly cache: string | null;
  readonly revision: number;
  readonly config: string;
  /** JSON: how it was decided where to go. */
  readonly route: string | null;
  /** JSON: what of the record has no column. */
  readonly more: string | null;
}

type Column = Exclude<keyof RequestRow, 'n'>;

/** Each column, with the record's member that it holds. `route` and `more` hold JSON. */
const MEMBERS: readonly (readonly [Column, keyof CallRecord])[] = [
  ['id', 'id'],
  ['at', 'at'],
  ['key', 'key'],
  ['protocol', 'protocol'],
  ['operation', 'operation'],
  ['asked', 'asked'],
  ['provider', 'provider'],
  ['model', 'model'],
  ['upstream', 'upstream'],
  ['lane', 'lane'],
  ['stream', 'stream'],
  ['status', 'status'],
  ['attempts', 'attempts'],
  ['duration_ms', 'durationMs'],
  ['first_token_ms', 'firstTokenMs'],
  ['input', 'input'],
  ['output', 'output'],
  ['cache_read', 'cacheRead'],
  ['cache_write', 'cacheWrite'],
  ['reasoning', 'reasoning'],
  ['stop', 'stop'],
  ['fault', 'fault'],
  ['ended_by', 'endedBy'],
  ['failed', 'failed'],
  ['notes', 'notes'],
  ['cache', 'cache'],
  ['revision', 'revision'],
  ['config', 'config'],
];

/** All columns but `n`, in the order of `valuesOf`. */
export const COLUMNS: readonly string[] = [...MEMBERS.map(([column]) => column), 'route', 'more'];

const OWN: ReadonlySet<string> = new Set<keyof CallRecord>([...MEMBERS.map(([, member]) => member), 'route']);

type Value = string | number | null;

/** What of a record has no column, as JSON. */
function restOf(record: CallRecord): string | null {
  let rest: Record<string, unknown> | undefined;
  for (const name in record) {
    if (!OWN.has(name)) (rest ??= {})[name] = record[name as keyof CallRecord];
  }
  return rest ? JSON.stringify(rest) : null;
}

/** Adds a record's values to a list, one a column. Only plain values are columns: what a torn or foreign line may hold else is none. */
export function addValues(record: CallRecord, values: Value[]): void {
  for (const [column, member] of MEMBERS) {
    const value: unknown = record[member];
    if (typeof value === 'string' || typeof value === 'number') values.push(value);
    else if (column === 'stream') values.push(value === true ? 1 : 0);
    else values.push(null);
  }
  values.push(record.route === undefined ? null : JSON.stringify(record.route), restOf(record));
}

const jsonIn = (text: string | null): Record<string, unknown> | undefined => (text === null ? undefined : parseObject(text));

/** The record of a row. */
export function recordOfRow(row: RequestRow): CallRecord {
  const record: Record<string, unknown> = {};
  for (const [column, member] of MEMBERS) {
    const value = row[column];
    if (column === 'stream') {
      if (value === 1) record[member] = true;
    } else if (value !== null) record[member] = value;
  }
  const route = jsonIn(row.route);
  return { ...record, ...jsonIn(row.more), ...(isObject(route as never) ? { route } : {}) } as unknown as CallRecord;
}
