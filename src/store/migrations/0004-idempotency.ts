import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Answers that are given again to who asks with the same `Idempotency-Key`. */
export const idempotency: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('idempotency')
      .addColumn('owner', 'text', (column) => column.notNull())
      .addColumn('request_key', 'text', (column) => column.notNull())
      .addColumn('fingerprint', 'text', (column) => column.notNull())
      .addColumn('node', 'text', (column) => column.notNull())
      .addColumn('created_at', 'integer', (column) => column.notNull())
      .addColumn('answer', 'blob')
      .addColumn('bytes', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('idempotency_key', ['owner', 'request_key'])
      .execute();
    await db.schema.createIndex('idempotency_age').on('idempotency').columns(['created_at', 'bytes']).execute();
  },
};
