import Foundation

/// What proves who is signed in.
public struct Tokens: Sendable, Hashable, Codable {
    /// What goes with each request.
    public var accessToken: String
    /// Gives new tokens, once.
    public var refreshToken: String
    /// When to get new ones: a little before the access token expires.
    public var renewAt: Date

    /// Tokens.
    public init(accessToken: String, refreshToken: String, renewAt: Date) {
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.renewAt = renewAt
    }
}

/// Where tokens are kept. On a device, write one that keeps them in the keychain.
public protocol TokenStore: Sendable {
    /// The tokens; nil when nobody is signed in.
    func load() async -> Tokens?

    /// Keep tokens, or forget those that were kept.
    func save(_ tokens: Tokens?) async
}

/// Keeps tokens until the program ends.
public actor MemoryTokenStore: TokenStore {
    private var tokens: Tokens?

    /// A store.
    ///
    /// - Parameter tokens: what it keeps at first.
    public init(_ tokens: Tokens? = nil) {
        self.tokens = tokens
    }

    /// The tokens.
    public func load() -> Tokens? { tokens }

    /// Keep tokens.
    public func save(_ tokens: Tokens?) { self.tokens = tokens }
}

extension Tokens {
    private static let earlier: TimeInterval = 30

    /// The tokens that an answer gives.
    ///
    /// Source: https://www.rfc-editor.org/rfc/rfc6749#section-5.1.
    init(grant: JSONValue) throws(InvalidValue) {
        let reader = try MessageReader(grant, depth: 1)
        let access: String = try reader.required("accessToken", "access_token")
        let refresh: String = try reader.required("refreshToken", "refresh_token")
        let lasts: UInt32 = try reader.required("expiresIn", "expires_in")
        // Of a token that lasts a moment, half is left to be used.
        let wait = max(TimeInterval(lasts) - Tokens.earlier, TimeInterval(lasts) / 2)
        self.init(
            accessToken: access, refreshToken: refresh, renewAt: Date(timeIntervalSinceNow: wait))
    }
}
