import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Responses, conversations with their items, and threads; the index of ages serves expiry and the sum of bytes without reading values. */
export const storedState: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('stored_state')
      .addColumn('owner', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('parent', 'text')
      .addColumn('position', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'integer', (column) => column.notNull())
      .addColumn('used_at', 'integer', (column) => column.notNull())
      .addColumn('bytes', 'integer', (column) => column.notNull())
      .addColumn('value', 'blob', (column) => column.notNull())
      .addPrimaryKeyConstraint('stored_state_key', ['owner', 'kind', 'id'])
      .execute();
    await db.schema.createIndex('stored_state_children').on('stored_state').columns(['owner', 'kind', 'parent', 'position']).execute();
    await db.schema.createIndex('stored_state_age').on('stored_state').columns(['used_at', 'bytes']).execute();
  },
};
