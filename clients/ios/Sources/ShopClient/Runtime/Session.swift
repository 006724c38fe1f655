import Foundation

/// Who is signed in. Methods that sign in or out keep it up to date.
public actor Session {
    /// Gives the answer for a refresh token.
    typealias TokenCall = @Sendable (String) async -> Result<JSONValue, ApiError>

    /// An access token to show.
    struct Shown: Sendable {
        /// The token; nil when nobody is signed in.
        let token: String?
        /// Whether a new one was asked for in vain. It is not asked for again by the same call.
        var isOverdue = false
    }

    private let store: any TokenStore
    private let refresh: TokenCall?
    private let revoke: TokenCall?
    private var turn: Task<Void, Never>?

    init(store: any TokenStore, refresh: TokenCall?, revoke: TokenCall?) {
        self.store = store
        self.refresh = refresh
        self.revoke = revoke
    }

    /// Whether there are tokens. The server may refuse them all the same.
    public var isSignedIn: Bool {
        get async { await store.load() != nil }
    }

    /// End the session, here first and then at the server.
    ///
    /// - Throws: an error when the server cannot be told. The session is forgotten all the same.
    public func signOut() async throws(ApiError) {
        let store = self.store
        let tokens = await inTurn { () async -> Tokens? in
            let found = await store.load()
            await store.save(nil)
            return found
        }
        if let tokens, let revoke {
            _ = try await revoke(tokens.refreshToken).get()
        }
    }

    /// The access token that there is; nil when nobody is signed in.
    var presentToken: String? {
        get async { await store.load()?.accessToken }
    }

    /// Begin a session with what a method that signs in has answered.
    func begin(_ tokens: Tokens) async {
        await store.save(tokens)
    }

    /// Forget a session that was ended, by its refresh token.
    func forget(_ refreshToken: String) async {
        await Session.forget(refreshToken, in: store)
    }

    /// An access token to show, a new one when the time has come.
    ///
    /// - Throws: UNAUTHENTICATED when the session has ended. It is forgotten then, and who calls
    ///   again is nobody.
    func accessToken() async throws(ApiError) -> Shown {
        guard let tokens = await store.load() else { return Shown(token: nil) }
        guard tokens.renewAt <= Date() else { return Shown(token: tokens.accessToken) }
        do {
            return Shown(token: try await renewed(tokens.accessToken))
        } catch {
            if error.code == .unauthenticated { throw error }
            // It may be good for a little longer.
            return Shown(token: tokens.accessToken, isOverdue: true)
        }
    }

    /// Another access token than one that is refused, or about to be.
    ///
    /// A refresh token is good once, and one that is used again ends the session. So tokens are asked
    /// for by one at a time, and whoever comes next finds those that were given to the one before.
    func renewed(_ accessToken: String) async throws(ApiError) -> String? {
        let store = self.store
        let refresh = self.refresh
        let result = await inTurn { () async -> Result<String?, ApiError> in
            guard let tokens = await store.load() else { return .success(nil) }
            guard tokens.accessToken == accessToken, let refresh else {
                return .success(tokens.accessToken)
            }
            return await Session.renew(tokens, in: store, by: refresh)
        }
        return try result.get()
    }

    private static func renew(
        _ tokens: Tokens, in store: any TokenStore, by refresh: TokenCall
    ) async -> Result<String?, ApiError> {
        let answer = await refresh(tokens.refreshToken)
        do {
            let renewed = try Tokens(grant: try answer.get())
            // Whoever signed in meanwhile has the last word.
            let now = await store.load()
            guard let now, now.refreshToken == tokens.refreshToken else {
                return .success(now?.accessToken)
            }
            await store.save(renewed)
            return .success(renewed.accessToken)
        } catch let error as ApiError {
            if error.code == .unauthenticated {
                await forget(tokens.refreshToken, in: store)
            }
            return .failure(error)
        } catch let error as InvalidValue {
            return .failure(.notOfContract("grant of tokens", error))
        } catch {
            return .failure(.unavailable("\(error)"))
        }
    }

    private static func forget(_ refreshToken: String, in store: any TokenStore) async {
        if await store.load()?.refreshToken == refreshToken {
            await store.save(nil)
        }
    }

    /// Work while nobody else does. It goes on when who asked for it has left, since a refresh token
    /// that was sent is used up.
    private func inTurn<Value: Sendable>(
        _ work: @escaping @Sendable () async -> Value
    ) async -> Value {
        let before = turn
        let task = Task {
            await before?.value
            return await work()
        }
        turn = Task { _ = await task.value }
        return await task.value
    }
}
