import type { Selectable } from 'kysely';
import type { KeptMedia } from '../exchange/ports.ts';
import type { MediaIndex } from '../tasks/media-store.ts';
import type { Database } from './database.ts';
import type { Schema } from './schema.ts';

/** The size of what is being written. */
const UNFINISHED = -1;

const mediaOf = (row: Selectable<Schema['media']>): KeptMedia => ({
  id: row.id,
  owner: row.owner,
  mediaType: row.media_type,
  bytes: row.bytes,
  expiresAt: row.expires_at,
});

/** What is known of kept media, in the database. */
export const createMediaIndex = (database: () => Promise<Database>, now: () => number): MediaIndex => ({
  async begin({ id, owner, mediaType, expiresAt }) {
    const db = await database();
    const row = { id, owner, media_type: mediaType, bytes: UNFINISHED, created_at: now(), expires_at: expiresAt };
    await db.insertInto('media').values(row).execute();
  },
  async finish(id, bytes) {
    const db = await database();
    await db.updateTable('media').set({ bytes }).where('id', '=', id).execute();
  },
  async get(id) {
    const db = await database();
    const row = await db.selectFrom('media').selectAll().where('id', '=', id).where('bytes', '!=', UNFINISHED).executeTakeFirst();
    return row && mediaOf(row);
  },
  async delete(id) {
    const db = await database();
    await db.deleteFrom('media').where('id', '=', id).execute();
  },
  async due(maxBytes, limit) {
    const db = await database();
    const old = await db.selectFrom('media').select('id').where('expires_at', '<=', now()).limit(limit).execute();
    if (old.length > 0) return old.map(({ id }) => id);
    const total = await db
      .selectFrom('media')
      .select(({ fn }) => fn.sum<number | null>('bytes').as('bytes'))
      .executeTakeFirst();
    let surplus = Number(total?.bytes ?? 0) - maxBytes;
    if (surplus <= 0) return [];
    const oldest = await db.selectFrom('media').select(['id', 'bytes']).orderBy('created_at').limit(limit).execute();
    return oldest
      .filter(({ bytes }) => {
        const isSurplus = surplus > 0;
        surplus -= bytes;
        return isSurplus;
      })
      .map(({ id }) => id);
  },
});
