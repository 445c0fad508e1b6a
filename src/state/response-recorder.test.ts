import { expect, it } from 'vitest';
import type { JsonObject } from '../ir/index.ts';
import { parseObject } from '../ir/index.ts';
import type { ReplyHandler } from './reply-handler.ts';
import { recordResponse } from './response-recorder.ts';

function record(frames: readonly JsonObject[]): { readonly sent: readonly JsonObject[]; readonly kept: readonly JsonObject[] } {
  const sent: JsonObject[] = [];
  const kept: JsonObject[] = [];
  const nothing = (): void => {};
  const next: ReplyHandler = {
    hasBegun: () => true,
    isClosed: () => false,
    begin: nothing,
    frame(data) {
      sent.push(parseObject(data) ?? {});
      return true;
    },
    end: nothing,
    whole: nothing,
    abort: nothing,
    onGone: nothing,
    onDrain: nothing,
  };
  const recorder = recordResponse(next, {
    members: { id: 'resp_ours' },
    onFinal: (response) => void kept.push(response),
    onNothing: nothing,
  });
  for (const frame of frames) recorder.frame(JSON.stringify(frame), String(frame['type']));
  recorder.end();
  return { sent, kept };
}

const begun = { id: 'resp_up', created_at: 7, status: 'in_progress', model: 'm', output: [] };

it.each([
  {
    name: 'a provider that knows no time has completed all the same',
    last: { type: 'response.completed', response: { ...begun, created_at: 0, status: 'completed', output: [{ type: 'message' }] } },
    kept: { id: 'resp_ours', created_at: 0, status: 'completed', output: [{ type: 'message' }] },
  },
  {
    name: 'a failure that knows nothing of the response takes it from what had begun',
    last: { type: 'response.failed', response: { id: '', created_at: 0, status: 'failed', error: { code: 'server_error' } } },
    kept: { id: 'resp_ours', created_at: 7, status: 'failed', model: 'm', error: { code: 'server_error' } },
  },
])('$name', ({ last, kept }) => {
  const told = record([{ type: 'response.created', response: begun }, last]);
  expect(told.kept).toMatchObject([kept]);
  expect(told.sent.at(-1)).toMatchObject({ type: last.type, response: kept });
});
