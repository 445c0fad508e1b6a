import { lazily } from '../../lazily.ts';
import type { Snapshot } from '../../policy/snapshot.ts';
import type { TaskDriver } from '../../tasks/ports.ts';
import { taskView } from '../../tasks/view.ts';
import type { ExchangePorts } from '../exchange.ts';
import { describeVideo } from './describe-video.ts';

/** What tasks stand on at their providers. */
interface DriverPorts {
  readonly exchange: ExchangePorts;
  /** In force now. */
  readonly snapshot: () => Snapshot;
}

/** What is known of each kind of task. The wires are loaded with the first task: a server without media starts without them. */
export function createTaskDrivers(ports: DriverPorts): { readonly video: TaskDriver; readonly image: TaskDriver } {
  const video = lazily(async () => (await import('./videos.ts')).createVideoDriver(ports));
  const image = lazily(async () => (await import('./images-job.ts')).createImageDriver(ports));
  return {
    video: {
      describe: describeVideo,
      poll: async (task, signal) => (await video()).poll(task, signal),
      keep: async (task, signal) => (await video()).keep(task, signal),
      find: async (task, signal) => (await video()).find(task, signal),
      cancel: async (task, signal) => (await video()).cancel(task, signal),
      remove: async (task, signal) => (await video()).remove(task, signal),
    },
    image: {
      describe: (task) => taskView(task, 'image.task'),
      poll: async (task, signal) => (await image()).poll(task, signal),
      keep: async (task, signal) => (await image()).keep(task, signal),
    },
  };
}
