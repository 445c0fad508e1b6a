import type { GatewayError } from '../../ir/index.ts';

/** `first`: not held for as long as the rest is read. A function of its own: a generator that is made for each call keeps what that had until the next large collection. */
async function* goingOn<T>(first: T[], rest: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    yield* first.splice(0);
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Waits for the first piece: an error before it can still be told as such. `none`: what is thrown where there is none. */
export async function begun<T>(pieces: AsyncIterable<T>, none: () => GatewayError): Promise<AsyncIterable<T>> {
  const rest = pieces[Symbol.asyncIterator]();
  const { done, value } = await rest.next();
  if (done === true) throw none();
  return goingOn([value], rest);
}
