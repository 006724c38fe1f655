/** Lists that come page by page. */
package contract.client

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * Ask for page after page, as they are collected, until one names no next.
 *
 * @param first the request of the first page.
 * @param next the token of the page after a page; empty when there is none.
 * @param at the request of the page that a token names.
 */
internal fun <Q, R> Connection.pages(
    method: Method<Q, R>,
    first: Q,
    options: CallOptions,
    next: (R) -> String,
    at: (String) -> Q,
): Flow<R> =
    flow {
        var request = first
        while (true) {
            val page = call(method, request, options)
            emit(page)
            val token = next(page)
            if (token.isEmpty()) break
            request = at(token)
        }
    }

/** The items of pages, one by one. */
internal fun <R, I> Flow<R>.items(of: (R) -> List<I>): Flow<I> =
    flow { collect { page -> of(page).forEach { emit(it) } } }
