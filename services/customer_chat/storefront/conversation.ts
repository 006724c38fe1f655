/** A chat as it goes on: what was said, and whether more is heard. */
import type { Entry } from "shop-client/customer_chat/v1/api";
import { useCallback, useEffect, useState } from "preact/hooks";
import { shop } from "storefront";

/** What is known of a chat. */
export interface Heard {
  /** What has happened, in order. */
  readonly entries: readonly Entry[];
  /** Whether nothing more can happen. */
  readonly closed: boolean;
  /** Why nothing more is heard; undefined while it is. */
  readonly lost: unknown;
  /** Listen again, where it broke off. */
  readonly again: () => void;
}

/** Listen to a chat. The stream comes back by itself after a loss, and misses nothing. */
export function useChat(chatId: string): Heard {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const [lost, setLost] = useState<unknown>(undefined);
  const [round, setRound] = useState(0);

  useEffect(() => {
    const left = new AbortController();
    async function listen(): Promise<void> {
      const after = entries.at(-1)?.position ?? 0n;
      const stream = shop.customerChat.streamChat({ chatId, after }, { signal: left.signal });
      for await (const entry of stream) {
        setEntries((before) => [...before, entry]);
      }
    }
    setLost(undefined);
    listen().catch((thrown: unknown) => {
      if (!left.signal.aborted) {
        setLost(thrown);
      }
    });
    return () => left.abort();
  }, [chatId, round]);

  const again = useCallback(() => setRound((before) => before + 1), []);
  const closed = entries.at(-1)?.kind === "ENTRY_KIND_CLOSED";
  return { entries, closed, lost, again };
}
