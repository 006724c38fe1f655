/**
 * Splits a stream of text into server-sent events.
 *
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream.
 */

/** An event, as it is dispatched. */
export interface ServerSentEvent {
  readonly type: string;
  readonly data: string;
  /** The id that was given last, by this event or one before it. */
  readonly id: string;
}

/** Reads one stream. */
export class EventParser {
  /** Milliseconds to wait before connecting again, where the server has said so. */
  retryMs: number | undefined;
  #rest = "";
  #endsInReturn = false;
  #type = "";
  #data: string[] = [];
  #id = "";

  /** The events that are whole with one more piece of the text. */
  *feed(text: string): Generator<ServerSentEvent, void, undefined> {
    // A carriage return at the end of a piece is the end of a line, also if a line feed follows.
    const piece = this.#endsInReturn && text.startsWith("\n") ? text.slice(1) : text;
    this.#endsInReturn = text ? text.endsWith("\r") : this.#endsInReturn;
    const lines = (this.#rest + piece).split(/\r\n|\r|\n/);
    this.#rest = lines.pop()!;
    for (const line of lines) {
      if (line) {
        this.#field(line);
      } else if (this.#data.length > 0) {
        yield { type: this.#type || "message", data: this.#data.join("\n"), id: this.#id };
        this.#data = [];
        this.#type = "";
      } else {
        this.#type = "";
      }
    }
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") {
      this.#data.push(value);
    } else if (name === "event") {
      this.#type = value;
    } else if (name === "id" && !value.includes("\0")) {
      this.#id = value;
    } else if (name === "retry" && /^[0-9]+$/.test(value)) {
      this.retryMs = Number(value);
    }
  }
}
