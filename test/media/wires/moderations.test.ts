import { describe, expect, it } from 'vitest';
import { moderate } from '../../../src/exchange/media/moderations.ts';
import type { ModerationsReply } from '../../../src/media/moderations/shape.ts';
import { presets } from '../../../src/presets/index.ts';
import { callWhole, type Canned, type Outcome } from './call-whole.ts';
import { wireOf, wiresOf } from './media-row.ts';
import { MODERATIONS_ROWS, type ModerationsRow, TEXTS } from './moderations-rows.ts';

const run = (row: ModerationsRow, canned: Canned): Promise<Outcome<ModerationsReply>> =>
  callWhole(row, canned, (context) => moderate(context, { inputs: TEXTS.map((text) => ({ kind: 'text', text })) }));

describe.each(MODERATIONS_ROWS.map((row) => [`${row.preset} ${row.model}`, row] as const))('%s', (_name, row) => {
  it('is asked as its page says, and understood', async () => {
    const { sent, found } = await run(row, { status: 200, body: row.reply });
    expect(sent.map(({ method, origin, path }) => `${method} ${origin}${path}`)).toEqual([`POST ${row.url}`]);
    const { 'content-type': type, ...headers } = { ...sent[0]?.headers };
    expect([type, headers]).toEqual(['application/json', row.headers]);
    expect(JSON.parse(Buffer.concat(sent[0]?.body ?? []).toString())).toEqual(row.body);
    expect(found).toEqual(row.says);
  });

  it('has its errors read', async () => {
    const { status, body, kind, message } = row.refusal;
    expect((await run(row, { status, body })).fault).toMatchObject({ kind, message });
  });

  it.each(['{}', '<html>', '{"results":[]}', '{"results":[{},{}]}'])('answers %s with a fault of the upstream', async (body) => {
    expect((await run(row, { status: 200, body })).fault).toMatchObject({ status: 502, code: 'upstream_malformed' });
  });
});

it('the table has a row for every wire, and cites its page', () => {
  const covered = new Set(MODERATIONS_ROWS.map((row) => wireOf(row)));
  const missing = [...presets.keys()].flatMap((id) => wiresOf(id, 'moderations').flatMap((wire) => (covered.has(wire) ? [] : [id])));
  expect(missing.filter((id) => id !== 'sandbox')).toEqual([]);
  expect(MODERATIONS_ROWS.filter(({ page }) => !page.startsWith('https://'))).toEqual([]);
});
