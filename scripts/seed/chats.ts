/** The seeded chats. */
export const CHATS = {
	/** The contract's example chat. */
	example: "550e8400-e29b-41d4-a716-446655440000",
	/** A run in each of the five statuses. */
	everyStatus: "7d9f3c52-5b0e-4c5e-9a55-0f4a4a1f6c01",
	empty: "7d9f3c52-5b0e-4c5e-9a55-0f4a4a1f6c02",
	anotherUsers: "7d9f3c52-5b0e-4c5e-9a55-0f4a4a1f6c03",
	deleted: "7d9f3c52-5b0e-4c5e-9a55-0f4a4a1f6c04",
	/** All that a run and a step can say. */
	everyField: "7d9f3c52-5b0e-4c5e-9a55-0f4a4a1f6c05",
} as const;
