import type { CallRecord } from '../../exchange/ports.ts';

/** A call as a row. */
export interface RequestRow {
  /** In the order in which they were written: what pages go by. */
  readonly n: number;
  readonly id: string;
  /** JSON, as in the journal. */
  readonly record: string;
}

type Kind = 'text' | 'integer' | 'real';

/**
 * Members of a record that are columns as well, for whoever asks the table (the view `requests`) with SQL. They are read out of the JSON
 * when they are asked for: writing them costs nothing.
 */
export const READ_COLUMNS: readonly (readonly [column: string, kind: Kind, member: keyof CallRecord])[] = [
  ['at', 'integer', 'at'],
  ['key', 'text', 'key'],
  ['protocol', 'text', 'protocol'],
  ['operation', 'text', 'operation'],
  ['asked', 'text', 'asked'],
  ['provider', 'text', 'provider'],
  ['model', 'text', 'model'],
  ['upstream', 'text', 'upstream'],
  ['lane', 'text', 'lane'],
  ['stream', 'integer', 'stream'],
  ['status', 'integer', 'status'],
  ['attempts', 'integer', 'attempts'],
  ['duration_ms', 'real', 'durationMs'],
  ['first_token_ms', 'real', 'firstTokenMs'],
  ['input', 'integer', 'input'],
  ['output', 'integer', 'output'],
  ['cache_read', 'integer', 'cacheRead'],
  ['cache_write', 'integer', 'cacheWrite'],
  ['reasoning', 'integer', 'reasoning'],
  ['stop', 'text', 'stop'],
  ['fault', 'text', 'fault'],
  ['ended_by', 'text', 'endedBy'],
  ['failed', 'text', 'failed'],
  ['notes', 'text', 'notes'],
  ['cache', 'text', 'cache'],
  ['revision', 'integer', 'revision'],
  ['config', 'text', 'config'],
  ['route', 'text', 'route'],
];

/** The record of a row. */
export const recordOfRow = ({ record }: Pick<RequestRow, 'record'>): CallRecord => JSON.parse(record) as CallRecord;
