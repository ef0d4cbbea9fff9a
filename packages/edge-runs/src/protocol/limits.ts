/*
 * How large reports, runs and answers may be. No imports, so that the service, the recorder, the scripts and the
 * pages' script can all read it. "Characters" are UTF-16 code units, as JavaScript counts them.
 */

/** A request's body, in bytes. A run's steps may take as much in D1, whose rows hold 2,000,000 bytes. */
export const MAX_BODY_BYTES = 1_000_000;

/** Runs in one report of several. */
export const MAX_RUNS = 100;

/**
 * A page of the list or an answer to a report, in bytes. A page that would be larger ends earlier; an answer that would
 * be larger has its last runs without their steps.
 */
export const MAX_ANSWER_BYTES = 4_000_000;

/** Runs in one page of the list. */
export const MAX_LIMIT = 100;

/** Steps of a run. If there are more, those with the first ids stay, as people count. */
export const MAX_STEPS = 1_000;

/** Steps of a run in one report. More would make as many complaints, of which only the first is told. */
export const MAX_REPORTED_STEPS = 10_000;

/** A run's steps as JSON in D1, in bytes. A row holds 2,000,000 bytes, and keeps the rest for its other columns. */
export const MAX_STEPS_BYTES = 1_000_000;

/** An id that is not a UUID, in characters. A longer one is refused, since a cut one would be another id. */
export const MAX_ID = 200;

/** A name, in characters. A longer one is cut. */
export const MAX_NAME = 200;

/** An error's or an activity's message, in characters. A longer one is cut. */
export const MAX_MESSAGE = 4_000;

/** An output as JSON in UTF-8, in bytes. A larger one is left out. */
export const MAX_OUTPUT_BYTES = 16_384;

/** Metrics of a run or step. Of more, those with the first names stay, by code units. */
export const MAX_METRICS = 20;

/** Levels of an output. SQLite takes no JSON of more than 1,000. */
export const MAX_OUTPUT_DEPTH = 100;

/** What an answer to a report names of what was left out; of more, how many. */
export const MAX_WARNINGS = 100;

/** How a warning says of a whole run that it is not stored, since it is older than the service keeps runs. */
export const NOT_STORED = "not stored";
