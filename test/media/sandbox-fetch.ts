import { createTestSandbox } from '../sandbox.ts';

/** A `fetch` that ends in the sandbox itself, for clients that take one: what the gateway would see. */
export function createSandboxFetch(sandbox = createTestSandbox()): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const { pathname, search } = new URL(request.url);
    const body = Buffer.from(await request.arrayBuffer());
    return new Promise((resolve, reject) => {
      let push: ReadableStreamDefaultController<Uint8Array> | undefined;
      const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (push = controller) });
      let begun = false;
      sandbox.handle(
        { method: request.method, path: pathname + search, headers: Object.fromEntries(request.headers), body },
        {
          head(status, headers) {
            begun = true;
            resolve(new Response(status === 204 ? null : stream, { status, headers }));
          },
          body(bytes) {
            push?.enqueue(new Uint8Array(bytes));
            return true;
          },
          end: () => push?.close(),
          error(kind) {
            const error = new Error(`the connection was ${kind}`);
            if (begun) push?.error(error);
            else reject(error);
          },
        },
      );
    });
  };
}
