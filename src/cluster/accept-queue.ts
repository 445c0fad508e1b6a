/**
 * How many connections may wait for being accepted, where the system allows as many: with Node's 511, a burst of a thousand while
 * the event loop is busy has the rest try again after a second.
 */
export const ACCEPT_QUEUE = 4096;
