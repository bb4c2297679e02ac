/// Times a call after a warm-up, and prints the lines that `benches/ffi_cost` reads.
struct Measure {
    let contestant: String
    let size: Size

    func callAsFunction(_ call: String, _ run: () throws -> Void) rethrows {
        for _ in 0..<size.calls / 5 { try run() }
        var times: [Duration] = []
        for _ in 0..<size.calls {
            let begin = ContinuousClock.now
            try run()
            times.append(ContinuousClock.now - begin)
        }
        report(call, times)
    }

    func callAsFunction(_ call: String, _ run: () async throws -> Void) async rethrows {
        for _ in 0..<size.calls / 5 { try await run() }
        var times: [Duration] = []
        for _ in 0..<size.calls {
            let begin = ContinuousClock.now
            try await run()
            times.append(ContinuousClock.now - begin)
        }
        report(call, times)
    }

    private func report(_ call: String, _ times: [Duration]) {
        let sorted = times.sorted()
        for (figure, time) in [("median", sorted[sorted.count / 2]), ("least", sorted[0])] {
            print("\(contestant)\t\(call)\t\(figure)\t\(time.components.attoseconds / 1_000_000_000)")
        }
    }
}
