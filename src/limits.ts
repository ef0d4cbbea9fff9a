/*
 * What requests and runs may be at the most. No imports, so that anything can read it, the pages' script too.
 */

/** A request's body, in bytes. A run's steps may take as much in D1, whose rows hold 2,000,000 bytes. */
export const MAX_BODY_BYTES = 1_000_000;

/** A run's steps as JSON in D1, in bytes: what a row of 2,000,000 bytes leaves for them. */
export const MAX_STEPS_BYTES = 1_000_000;

/** Steps of a run. */
export const MAX_STEPS = 1_000;

/** Runs in one report of several. */
export const MAX_RUNS = 100;

/** Runs in one page of the list. */
export const MAX_LIMIT = 100;

/** A step's id or name, in UTF-16 code units. */
export const MAX_NAME = 200;

/** An error's message, in UTF-16 code units. */
export const MAX_MESSAGE = 4_000;
