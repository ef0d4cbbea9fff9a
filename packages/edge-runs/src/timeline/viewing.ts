/** What all parts of a timeline need to know of its reader. */
export interface Viewing {
	/** The service's time, in milliseconds since the epoch. */
	readonly now: number;
	/** The reader's time zone, e.g. `Europe/Berlin`. A server does not know it, and shows UTC. */
	readonly zone: string;
	/** The path of the chat's page, `/chats/…`; null where there is none to link to. */
	readonly path: string | null;
}

/** The address of a run's own page; undefined where there is none. */
export const runPageOf = ({ path }: Viewing, runId: string) => (path === null ? undefined : `${path}/runs/${runId}`);
