/**
 * Goes through the table of ProtoJSON cases: reads lines `{"message": NAME, "json": TEXT}` and answers
 * each with `{"json": TEXT}` or `{"error": TEXT}`, by the modules that its arguments name.
 */
import { pathToFileURL } from "node:url";

import { type MessageType, parse, write } from "shop-client/runtime/protojson";

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

// `readline` takes U+2028 for the end of a line, too.
let rest = "";
for await (const piece of process.stdin.setEncoding("utf-8")) {
  const lines = (rest + String(piece)).split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    const { message, json } = JSON.parse(line) as { message: string; json: string };
    console.log(JSON.stringify(answer(message, json)));
  }
}
