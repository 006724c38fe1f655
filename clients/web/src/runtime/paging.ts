/** Lists that come page by page. */

/**
 * Ask for page after page, until one names no next.
 *
 * @param first - the request of the first page.
 * @param ask - asks for the page of a request.
 */
export async function* pages<P>(
  first: unknown,
  ask: (request: unknown) => Promise<P>,
): AsyncGenerator<P, void, undefined> {
  let request = first;
  for (;;) {
    const page = await ask(request);
    yield page;
    const { nextPageToken } = page as { nextPageToken: string };
    if (!nextPageToken) {
      return;
    }
    request = { ...(first as object | undefined), pageToken: nextPageToken };
  }
}

/** The items of pages, which are in one of their members. */
export async function* items<T>(
  of: AsyncIterable<unknown>,
  member: string,
): AsyncGenerator<T, void, undefined> {
  for await (const page of of) {
    yield* (page as Record<string, T[]>)[member]!;
  }
}
