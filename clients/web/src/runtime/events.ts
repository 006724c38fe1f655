/**
 * Streams of a server, as server-sent events.
 *
 * An `EventSource` sends no token and does not tell why it was refused, so events are read from the
 * body of a `fetch`.
 */
import type { Connection } from "./connection.js";
import { Deadline } from "./deadline.js";
import { ApiError, errorOfEvent, isTransient, notOfContract, unavailable } from "./errors.js";
import { EventParser, type ServerSentEvent } from "./event_parser.js";
import type { CallOptions, MethodType } from "./methods.js";
import { parse } from "./protojson.js";
import { prepare } from "./requests.js";
import { delayMs } from "./retry.js";

// Servers say something at least every 15 seconds.
const SILENCE_MS = 45_000;

/**
 * The responses of a stream. One that breaks off goes on after the last response that was received,
 * where the contract says how. It ends when the server says so, or its reader leaves.
 *
 * Until it has begun, it is asked for as often as the policy of retries says; after that it comes back
 * until its reader leaves.
 */
export async function* stream<T>(
  connection: Connection,
  method: MethodType<T>,
  request: unknown,
  options: CallOptions = {},
): AsyncGenerator<T, void, undefined> {
  const prepared = prepare(method, request);
  const deadline = new Deadline(options);
  let lastId = "";
  let hasBegun = false;
  let failures = 0;
  try {
    for (;;) {
      const parser = new EventParser();
      try {
        deadline.signal.throwIfAborted();
        const headers = { accept: "text/event-stream", ...(lastId && { "last-event-id": lastId }) };
        const response = await connection.send(method, prepared, headers, deadline);
        hasBegun = true;
        failures = 0;
        for await (const event of events(response, parser, deadline)) {
          if (event.type === "end") {
            return;
          }
          if (event.type === "error") {
            throw errorOfEvent(event.data, method.errors ?? {});
          }
          lastId = event.id;
          yield responseOf(method, event.data);
        }
        throw unavailable("the stream broke off");
      } catch (error) {
        deadline.signal.throwIfAborted();
        failures += 1;
        const mayGoOn = hasBegun
          ? method.resumes
          : method.retriable && failures < connection.retry.attempts;
        if (!mayGoOn || !isTransient(error)) {
          throw error;
        }
        const delay = delayMs(connection.retry, failures, error);
        await deadline.sleep(error.retryAfterMs ?? Math.max(parser.retryMs ?? 0, delay));
      }
    }
  } finally {
    // Ends the request of a stream that is left.
    deadline.end(new ApiError("CANCELLED", "the stream was left"));
    deadline.release();
  }
}

function responseOf<T>(method: MethodType<T>, data: string): T {
  try {
    return parse(method.response, data);
  } catch (error) {
    throw notOfContract(method.response.name, error);
  }
}

async function* events(
  response: Response,
  parser: EventParser,
  deadline: Deadline,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    let silence: ReturnType<typeof setTimeout> | undefined;
    const silent = new Promise<never>((_, reject) => {
      const error = unavailable("nothing was heard of the server");
      silence = setTimeout(() => reject(error), SILENCE_MS);
    });
    try {
      const reading = reader.read().catch((error: unknown) => {
        throw unavailable("the stream broke off", error);
      });
      const { done, value } = await deadline.until(Promise.race([reading, silent]));
      if (done) {
        return;
      }
      yield* parser.feed(decoder.decode(value, { stream: true }));
    } catch (error) {
      reader.cancel().catch(() => undefined);
      throw error;
    } finally {
      clearTimeout(silence);
    }
  }
}
