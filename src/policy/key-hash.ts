import { hash } from 'node:crypto';

/** The name under which a key is looked up: the SHA-256 of its value. Keys are of high entropy, so a plain hash is enough and a lookup by it leaks nothing. */
export const keyHash = (value: string): string => hash('sha256', value, 'base64');
