import type { SigningPorts } from './presets/preset.ts';
import { fetchWhole } from './upstream/fetch-whole.ts';
import type { Send } from './upstream/send.ts';

const WAIT_MS = 10_000;

/** Posts forms to the token endpoints that presets name. */
export const postForm =
  (send: Send): SigningPorts['post'] =>
  async (url, form) => {
    const { origin, pathname, search } = new URL(url);
    const body = [Buffer.from(new URLSearchParams(form).toString())];
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const timeouts = { connect: WAIT_MS, headers: WAIT_MS, idle: WAIT_MS };
    const request = { origin, method: 'POST', path: pathname + search, headers, body, timeouts };
    const answer = await fetchWhole(send, request, 1024 * 1024, 2 * WAIT_MS);
    return { status: answer.status, body: answer.body.toString('utf8') };
  };
