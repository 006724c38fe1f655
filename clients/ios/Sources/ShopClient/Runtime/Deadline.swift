import Foundation

/// Until when a call must have ended.
struct Deadline: Sendable {
    /// How long it may take; nil for ever.
    let timeout: Duration?
    private let end: ContinuousClock.Instant?

    init(timeout: Duration?) {
        self.timeout = timeout
        end = timeout.map { span in ContinuousClock.now + span }
    }

    /// What is left; nil for ever.
    var remaining: Duration? {
        end.map { instant in ContinuousClock.now.duration(to: instant) }
    }

    /// Work until it is done, the deadline has come, or the task is cancelled. Who waits is back at
    /// once in any case; work that goes on is cancelled.
    func limit<Value: Sendable>(
        _ work: @escaping @Sendable () async -> Result<Value, ApiError>
    ) async throws(ApiError) -> Value {
        let race = Race<Value>()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                race.begin(continuation)
                race.add(Task { race.end(await work()) })
                if let timeout, let remaining {
                    race.add(
                        Task {
                            try? await Task.sleep(for: max(.zero, remaining))
                            race.end(.failure(.tooLate(timeout)))
                        })
                }
            }
        } onCancel: {
            race.end(.failure(.cancelled))
        }
        return try result.get()
    }
}

/// Keeps the first of several ends, and cancels what would lead to others.
private final class Race<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var result: Result<Value, ApiError>?
    private var continuation: CheckedContinuation<Result<Value, ApiError>, Never>?
    private var tasks: [Task<Void, Never>] = []

    func begin(_ continuation: CheckedContinuation<Result<Value, ApiError>, Never>) {
        let early: Result<Value, ApiError>? = lock.withLock {
            if result == nil { self.continuation = continuation }
            return result
        }
        if let early { continuation.resume(returning: early) }
    }

    func add(_ task: Task<Void, Never>) {
        let isOver = lock.withLock {
            tasks.append(task)
            return result != nil
        }
        if isOver { task.cancel() }
    }

    func end(_ found: Result<Value, ApiError>) {
        let (waiting, losers) = lock.withLock {
            () -> (CheckedContinuation<Result<Value, ApiError>, Never>?, [Task<Void, Never>]) in
            guard result == nil else { return (nil, []) }
            result = found
            let waiting = continuation
            continuation = nil
            return (waiting, tasks)
        }
        losers.forEach { task in task.cancel() }
        waiting?.resume(returning: found)
    }
}
