import type { JsonObject } from '../ir/index.ts';
import type { Task } from './ports.ts';

const seconds = (ms: number | undefined): number | null => (ms === undefined ? null : Math.floor(ms / 1000));

/** What every task shows of itself: the members that SDKs know, `null` where there is nothing yet. */
export function taskView(task: Task, object: 'video' | 'image.task'): JsonObject {
  const { error } = task.value;
  return {
    id: task.id,
    object,
    model: task.model,
    status: task.status,
    progress: task.progress,
    created_at: seconds(task.createdAt),
    completed_at: seconds(task.completedAt),
    expires_at: seconds(task.expiresAt),
    error: error ? { code: error.code, message: error.message } : null,
  };
}
