import { beforeAll, expect, it } from 'vitest';
import { startGateway } from './gateway.ts';
import { ASKERS, stalledRow } from './stalled.ts';

// The first start after a change strips types, and holds for a while what does that.
beforeAll(async () => {
  await (await startGateway({})).stop();
}, 60_000);

/** The most that any chat keeps, and those that read their upstreams in other ways; npm run test:stress has all of them, with many more readers. */
it.each([
  'openai-responses ← openai-chat',
  'openai-responses, over WebSocket',
  'speech',
  'transcription, streamed',
  'speech, as Gemini, streamed',
  'chat by a voice, streamed',
  'spoken chat, streamed',
])(
  '%s: a client that does not read while its upstream floods holds less than 64 KiB',
  async (about) => {
    const asker = ASKERS.find((one) => one.about === about);
    const row = asker && (await stalledRow(asker, 32, 64));
    expect(row).toMatchObject({ isKept: true, many: 64 });
  },
  120_000,
);
