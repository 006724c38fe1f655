/** A file of what happened, one JSON object a line, so that a process that was killed can go on. */

import { existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";

/**
 * @typedef {object} Journal
 * @property {object[]} entries what was in the file
 * @property {(entry: object) => void} append returns when the entry is on disk
 */

/**
 * Opens a journal, or makes it. A last line without an end was never answered for: it is cut off.
 *
 * @param {string} file
 * @returns {Journal}
 */
export function openJournal(file) {
  const content = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const complete = content.subarray(0, content.lastIndexOf("\n") + 1);
  const opened = openSync(file, "a");
  if (complete.length < content.length) truncateSync(file, complete.length);
  return {
    entries: complete
      .toString()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
    append(entry) {
      writeSync(opened, `${JSON.stringify(entry)}\n`);
      fsyncSync(opened);
    },
  };
}
