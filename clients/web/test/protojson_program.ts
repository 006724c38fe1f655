/**
 * Goes through the table of ProtoJSON cases: reads lines `{"message": NAME, "json": TEXT}` and answers
 * each with `{"json": TEXT}` or `{"error": TEXT}`, by the modules that its arguments name.
 */
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

import { type MessageType, parse, write } from "../dist/runtime/protojson.js";

const types = new Map<string, MessageType>();
for (const path of process.argv.slice(2)) {
  const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  for (const each of Object.values(module)) {
    if (typeof each === "object" && each !== null && "fields" in each) {
      const type = each as MessageType;
      types.set(type.name, type);
    }
  }
}

function answer(message: string, json: string): { json: string } | { error: string } {
  const type = types.get(message);
  if (!type) {
    throw new Error(`no module has ${message}`);
  }
  try {
    return { json: JSON.stringify(write(type, parse(type, json), true)) };
  } catch (error) {
    return { error: String(error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { message, json } = JSON.parse(line) as { message: string; json: string };
  console.log(JSON.stringify(answer(message, json)));
}
