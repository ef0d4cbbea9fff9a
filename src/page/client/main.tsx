import type { WorkflowRun } from "../../workflow-runs/schemas";
import { decodeCursor } from "../../workflow-runs/cursor";
import { type Choice, RUNS_PER_PAGE } from "../view";
import { Announcer } from "./announcer";
