/// The pages of a list, from the one that a request names on. Each is asked for when it is needed.
/// What it throws is an ``ApiError``.
public struct Pages<Page: Sendable>: AsyncSequence, Sendable {
    /// A page.
    public typealias Element = Page

    /// Asks for page after page.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let ask: @Sendable (String?) async throws -> Page
        fileprivate let nextToken: @Sendable (Page) -> String
        fileprivate var token: String?
        fileprivate var isAtEnd = false

        /// The next page; nil after the last.
        public mutating func next() async throws -> Page? {
            if isAtEnd { return nil }
            let page = try await ask(token)
            let next = nextToken(page)
            token = next
            isAtEnd = next.isEmpty
            return page
        }
    }

    /// Asks for the page of a token; nil stands for the first.
    let ask: @Sendable (String?) async throws -> Page
    let nextToken: @Sendable (Page) -> String

    /// Begin with the first page.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(ask: ask, nextToken: nextToken)
    }
}

/// The items of a list, over all its pages. What it throws is an ``ApiError``.
public struct Items<Page: Sendable, Item: Sendable>: AsyncSequence, Sendable {
    /// An item.
    public typealias Element = Item

    /// Goes through page after page.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var pages: Pages<Page>.AsyncIterator
        fileprivate let items: @Sendable (Page) -> [Item]
        fileprivate var left: ArraySlice<Item> = []

        /// The next item; nil after the last.
        public mutating func next() async throws -> Item? {
            while left.isEmpty {
                guard let page = try await pages.next() else { return nil }
                left = items(page)[...]
            }
            return left.removeFirst()
        }
    }

    let pages: Pages<Page>
    let items: @Sendable (Page) -> [Item]

    /// Begin with the first item.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(pages: pages.makeAsyncIterator(), items: items)
    }
}
