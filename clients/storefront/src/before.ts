/** Runs before the page is shown, so that it is not shown in the wrong colours first. */
import { applyTheme } from "./theme.js";

applyTheme();
