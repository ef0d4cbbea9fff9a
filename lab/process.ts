import { readFileSync } from "node:fs";

/** What the kernel tells of a process. */
export interface Usage {
	/** User and system time used so far, in milliseconds; in steps of 10. */
	readonly cpuMilliseconds: number;
	/** Resident memory, in megabytes. */
	readonly residentMegabytes: number;
}

/** Ticks of /proc are hundredths of a second on every Linux (proc(5), USER_HZ). */
const TICK_MILLISECONDS = 10;

/** Null where there is no /proc. */
export function usageOf(pid: number | null): Usage | null {
	if (pid === null) return null;
	// The second field, the command in brackets, may hold spaces.
	const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
		.replace(/^.*\) /, "")
		.split(" ");
	const resident = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
	return {
		cpuMilliseconds: (Number(stat[11]) + Number(stat[12])) * TICK_MILLISECONDS,
		residentMegabytes: Number(resident) / 1024,
	};
}
