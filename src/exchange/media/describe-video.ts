import type { JsonObject } from '../../ir/index.ts';
import type { Task } from '../../tasks/ports.ts';
import { taskView } from '../../tasks/view.ts';

/** The members of a video's task, as OpenAI's SDK reads them. */
export function describeVideo(task: Task): JsonObject {
  const { about } = task.value;
  return {
    ...taskView(task, 'video'),
    prompt: about['prompt'] ?? null,
    seconds: about['seconds'] ?? null,
    size: about['size'] ?? null,
    remixed_from_video_id: about['remixed_from'] ?? null,
  };
}
