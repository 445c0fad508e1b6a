import { badField, type GatewayError } from '../../ir/index.ts';
import type { WishNames } from './shape.ts';

/** A vector of another length than was asked for is of no use. */
export const noDimensions = ({ dimensions }: WishNames): GatewayError =>
  badField(dimensions, `Invalid request: this model's number of dimensions cannot be chosen; leave '${dimensions}' out`);
