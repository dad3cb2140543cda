import { z } from 'zod';

const mustBeBoolean = 'must be true or false';

/** A boolean in JSON. */
export const boolean = z.boolean(mustBeBoolean);

/** A boolean as text, in a query. */
export const booleanText = z.enum(['true', 'false'], mustBeBoolean).transform((text) => text === 'true');
