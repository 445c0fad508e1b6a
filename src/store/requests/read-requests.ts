import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CallRecord } from '../../exchange/ports.ts';
import { REQUESTS_FILE } from './database.ts';
import { recordOfRow, type RequestRow } from './row.ts';

/** The table of requests, as it is read beside a server that may be running. */
export interface RequestsReader {
  /** By its id; upper or lower case. */
  find(id: string): CallRecord | undefined;
  /** The newest first. */
  last(count: number): readonly CallRecord[];
  close(): void;
}

/** How long it waits for a process that writes. */
const WAIT_MS = 2000;

/** Opens the table of a data folder to read; `undefined`: there is none. Throws where it cannot be read. */
export function openReader(folder: string): RequestsReader | undefined {
  const path = join(folder, REQUESTS_FILE);
  if (!existsSync(path)) return undefined;
  const database = new DatabaseSync(path, { readOnly: true, timeout: WAIT_MS });
  return {
    find(id) {
      const wanted = id.startsWith('req_') ? id.slice(4) : id;
      const row = database
        .prepare('select record from requests where id in (?, ?, ?)')
        .get(id, `req_${wanted.toUpperCase()}`, `req_${wanted.toLowerCase()}`);
      return row && recordOfRow(row as unknown as RequestRow);
    },
    last: (count) =>
      database
        .prepare('select record from requests order by n desc limit ?')
        .all(count)
        .map((row) => recordOfRow(row as unknown as RequestRow)),
    close: () => database.close(),
  };
}
