/// Keeps a value elsewhere, so that a message can hold one of its own kind.
@propertyWrapper
public struct Indirect<Value: Sendable & Hashable>: Sendable, Hashable {
    private var box: Box<Value>

    /// Keep a value.
    public init(wrappedValue: Value) {
        box = .value(wrappedValue)
    }

    /// The value.
    public var wrappedValue: Value {
        get {
            switch box {
            case .value(let value): return value
            }
        }
        set { box = .value(newValue) }
    }
}

private indirect enum Box<Value: Sendable & Hashable>: Sendable, Hashable {
    case value(Value)
}
