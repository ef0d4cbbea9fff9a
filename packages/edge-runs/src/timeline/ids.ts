/** The id of a run's element. */
export const runElementId = (runId: string) => `run-${runId}`;

/** The first group of a UUID: enough to tell ids apart by eye. */
export const shortId = (id: string) => id.slice(0, 8);
