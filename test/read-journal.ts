import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallRecord } from '../src/exchange/ports.ts';

function parsed(line: string): CallRecord | undefined {
  try {
    return JSON.parse(line) as CallRecord;
  } catch {
    return undefined;
  }
}

/** What a journal's folder holds, in order; a torn last line of a file is skipped, one in its middle is an error. */
export async function readJournal(folder: string): Promise<readonly CallRecord[]> {
  const records: CallRecord[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const lines = (await readFile(join(folder, name), 'utf8')).split('\n');
    for (const [at, line] of lines.entries()) {
      const record = parsed(line);
      if (record) records.push(record);
      else if (at < lines.length - 1) throw new Error(`${name}: line ${at + 1} is torn`);
    }
  }
  return records;
}
