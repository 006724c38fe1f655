/// Splits a stream of bytes into server-sent events.
///
/// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream.
struct EventParser {
    /// An event, as it is dispatched.
    struct Event: Sendable, Hashable {
        let type: String
        let data: String
        /// The id that was given last, by this event or one before it.
        let id: String
    }

    /// How long to wait before connecting again, where the server has said so.
    private(set) var retry: Duration?
    private var line: [UInt8] = []
    private var endsInReturn = false
    private var isFirst = true
    private var type = ""
    private var data: [String] = []
    private var id = ""

    /// The events that are whole with one more piece.
    mutating func feed(_ piece: some Sequence<UInt8>) -> [Event] {
        var found: [Event] = []
        for byte in piece {
            // No other sign ends a line, though some do to Swift.
            let isReturn = byte == 0x0D
            let isFeed = byte == 0x0A
            if isFeed && endsInReturn {
                // The line ended with the carriage return before it.
                endsInReturn = false
                continue
            }
            endsInReturn = isReturn
            if isReturn || isFeed {
                if let event = end() { found.append(event) }
            } else {
                line.append(byte)
            }
        }
        return found
    }

    private mutating func end() -> Event? {
        var bytes = line[...]
        line = []
        if isFirst && bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            bytes = bytes.dropFirst(3)
        }
        isFirst = false
        if bytes.isEmpty { return dispatch() }
        let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
        let name = String(decoding: bytes[..<(colon ?? bytes.endIndex)], as: UTF8.self)
        var rest = colon.map { at in bytes[(at + 1)...] } ?? []
        if rest.first == UInt8(ascii: " ") {
            rest = rest.dropFirst()
        }
        let value = String(decoding: rest, as: UTF8.self)
        switch name {
        case "data": data.append(value)
        case "event": type = value
        case "id":
            if !rest.contains(0) { id = value }
        case "retry":
            if !rest.isEmpty, rest.allSatisfy(isDigit), let milliseconds = Int64(value) {
                retry = .milliseconds(milliseconds)
            }
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> Event? {
        defer {
            type = ""
            data = []
        }
        if data.isEmpty { return nil }
        return Event(type: type.isEmpty ? "message" : type, data: data.joined(separator: "\n"), id: id)
    }
}
