import type { Env } from './config/find-file.ts';
import { askModelFacts } from './exchange/model-list.ts';
import { postForm } from './post-form.ts';
import type { AskList } from './sync-models.ts';
import { createNetworkSend } from './upstream/choose-send.ts';

/** Asks providers for their lists over the network, for a command that does only that. */
export function createAskList(env: Env): AskList {
  const { send } = createNetworkSend(env);
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  return (provider) => askModelFacts(provider, { send, clock, post: postForm(send) });
}
