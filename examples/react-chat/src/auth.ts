import { createAuthClient } from "better-auth/react";

/** better-auth, at /api/auth of this page's address. */
export const auth = createAuthClient();
