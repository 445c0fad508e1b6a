import type { ChildProcess } from 'node:child_process';

/** What a process of ours says next. */
export const said = <T>(from: ChildProcess): Promise<T> =>
  new Promise((resolve) => from.once('message', (message) => resolve(message as T)));
