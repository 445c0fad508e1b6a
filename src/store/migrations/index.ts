import type { Migration } from 'kysely/migration';
import { seals } from './0001-seals.ts';
import { storedState } from './0002-stored-state.ts';
import { jobs } from './0003-jobs.ts';
import { idempotency } from './0004-idempotency.ts';

/**
 * Every migration, in order of name. One file each, never changed once released; all that are due run in one transaction,
 * so that a process that is killed leaves the database as it was.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-seals': seals,
  '0002-stored-state': storedState,
  '0003-jobs': jobs,
  '0004-idempotency': idempotency,
};
