import { makeSmallLibraries } from "../../scripts/small/libraries.ts";

/** Vitest's global setup: the libraries that the service under test is bundled with, from the code as it is now. */
export const setup = makeSmallLibraries;
