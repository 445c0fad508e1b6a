import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Sealed state by owner and tool call; the index serves expiry and the sum of bytes without reading values. */
export const seals: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('seals')
      .addColumn('owner', 'text', (column) => column.notNull())
      .addColumn('call_id', 'text', (column) => column.notNull())
      .addColumn('value', 'blob', (column) => column.notNull())
      .addColumn('bytes', 'integer', (column) => column.notNull())
      .addColumn('put_at', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('seals_key', ['owner', 'call_id'])
      .execute();
    await db.schema.createIndex('seals_age').on('seals').columns(['put_at', 'bytes']).execute();
  },
};
