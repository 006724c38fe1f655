/// When a call is made again that the contract lets be made again.
public struct RetryPolicy: Sendable {
    /// How often it is made at the most, the first time included: 1 makes it once.
    public var attempts: Int
    /// The longest wait before the second attempt; it doubles each time.
    public var baseDelay: Duration
    /// The longest wait of all.
    public var maximumDelay: Duration

    /// What holds when nothing else is said.
    public init(
        attempts: Int = 4, baseDelay: Duration = .milliseconds(200), maximumDelay: Duration = .seconds(5)
    ) {
        self.attempts = attempts
        self.baseDelay = baseDelay
        self.maximumDelay = maximumDelay
    }

    /// How long to wait after an attempt: what the server says, else anything up to a bound that
    /// doubles, so that clients which failed together do not come back together.
    ///
    /// - Parameter attempt: which attempt has failed, from 1.
    func delay(after attempt: Int, _ error: ApiError) -> Duration {
        if let said = error.retryAfter { return said }
        var bound = baseDelay
        var doublings = attempt - 1
        while doublings > 0 && bound < maximumDelay {
            bound = bound * 2
            doublings -= 1
        }
        return min(bound, maximumDelay) * Double.random(in: 0..<1)
    }
}
