import { createHmac } from 'node:crypto';
import type { JsonObject } from '../ir/index.ts';
import type { Task } from './ports.ts';

/** A message to a client's own server. */
export interface WebhookMessage {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Posts it, to allowed addresses only; resolves with the status, rejects when there was none. */
export type PostWebhook = (message: WebhookMessage, signal: AbortSignal) => Promise<number>;

/** Waits between tries; after the last it is given up. https://www.standardwebhooks.com */
export const WEBHOOK_DELAYS_MS: readonly number[] = [5000, 60_000, 300_000, 1_800_000, 7_200_000, 21_600_000, 43_200_000];

const keyOf = (secret: string): Buffer => Buffer.from(secret.replace(/^whsec_/, ''), 'base64');

/** Signs per Standard Webhooks. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export function webhookMessage(task: Task, description: JsonObject, nowMs: number): WebhookMessage | undefined {
  const { webhook } = task.value;
  if (!webhook) return undefined;
  const id = `msg_${task.id}`;
  const timestamp = String(Math.floor(nowMs / 1000));
  const body = JSON.stringify({
    type: `${task.kind}.${task.status}`,
    timestamp: new Date(task.completedAt ?? nowMs).toISOString(),
    data: description,
  });
  const signature = createHmac('sha256', keyOf(webhook.secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    url: webhook.url,
    body,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    },
  };
}
