/** How many finished jobs are remembered between the last question and the fetching of what they made. */
const MAX_DONE = 1000;
/** Bytes of what they said: some hold films. */
const MAX_DONE_BYTES = 64 * 1024 * 1024;

/** What finished jobs have said, until what they made is fetched. What is not here any more is asked again. */
export interface DoneJobs<Said> {
  /** `bytes`: of the answer that said it. */
  put(id: string, said: Said, bytes: number): void;
  /** Gives it away: an address that did not work may be a new one the next time. */
  take(id: string): Said | undefined;
}

/** Nothing is remembered. */
export function createDoneJobs<Said>(): DoneJobs<Said> {
  const done = new Map<string, { readonly said: Said; readonly bytes: number }>();
  let held = 0;
  const take = (id: string): Said | undefined => {
    const found = done.get(id);
    if (!found) return undefined;
    done.delete(id);
    held -= found.bytes;
    return found.said;
  };
  return {
    put(id, said, bytes) {
      take(id);
      if (bytes > MAX_DONE_BYTES) return;
      for (const oldest of done.keys()) {
        if (done.size < MAX_DONE && held + bytes <= MAX_DONE_BYTES) break;
        take(oldest);
      }
      done.set(id, { said, bytes });
      held += bytes;
    },
    take,
  };
}
