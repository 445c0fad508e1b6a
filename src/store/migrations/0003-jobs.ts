import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Long-running work. A job is held by a node; a node's lease is one row that it renews, so that holding many jobs costs no more than
 * holding one. `media`: what is kept beside the database.
 */
export const jobs: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('jobs')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('owner', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('phase', 'text', (column) => column.notNull())
      .addColumn('progress', 'integer', (column) => column.notNull())
      .addColumn('provider', 'text', (column) => column.notNull())
      .addColumn('model', 'text', (column) => column.notNull())
      .addColumn('remote_id', 'text')
      .addColumn('request_key', 'text')
      .addColumn('created_at', 'integer', (column) => column.notNull())
      .addColumn('completed_at', 'integer')
      .addColumn('expires_at', 'integer')
      .addColumn('deadline_at', 'integer', (column) => column.notNull())
      .addColumn('node', 'text')
      .addColumn('value', 'blob', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('jobs_owner').on('jobs').columns(['owner', 'kind', 'created_at', 'id']).execute();
    await db.schema.createIndex('jobs_node').on('jobs').columns(['node', 'phase']).execute();
    await db.schema.createIndex('jobs_age').on('jobs').columns(['created_at']).execute();
    await db.schema.createIndex('jobs_request').on('jobs').columns(['owner', 'request_key']).execute();
    await db.schema
      .createTable('nodes')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('place', 'text')
      .addColumn('pid', 'integer', (column) => column.notNull())
      .addColumn('alive_until', 'integer', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('media')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('owner', 'text', (column) => column.notNull())
      .addColumn('media_type', 'text', (column) => column.notNull())
      .addColumn('bytes', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'integer', (column) => column.notNull())
      .addColumn('expires_at', 'integer', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('media_age').on('media').columns(['expires_at', 'bytes']).execute();
    await db.schema.createIndex('media_made').on('media').columns(['created_at', 'bytes']).execute();
  },
};
