/**
 * Whether a variable or file (`env OPENAI_API_KEY`, `file /run/secrets/key`) is named as if it held a secret: what comes from it is shown
 * nowhere, whatever setting it was put into.
 */
export const isSecretOrigin = (from: string): boolean => /key|token|secret|password|credential/i.test(from);
