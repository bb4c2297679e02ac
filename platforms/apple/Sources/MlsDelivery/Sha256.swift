import Foundation

#if canImport(CryptoKit)
    import CryptoKit

    func sha256(_ data: Data) -> Data { Data(SHA256.hash(data: data)) }
#else
    /// FIPS 180-4, section 6.2, for systems that bring none: there the package is developed and tested.
    func sha256(_ data: Data) -> Data {
        var message = [UInt8](data)
        message.append(0x80)
        while message.count % 64 != 56 { message.append(0) }
        let length = UInt64(data.count) * 8
        for shift in stride(from: 56, through: 0, by: -8) { message.append(UInt8(truncatingIfNeeded: length >> shift)) }

        var state = roots(of: 8) { $0.squareRoot() }
        let constants = roots(of: 64) { cbrt($0) }
        for start in stride(from: 0, to: message.count, by: 64) {
            compress(message[start..<start + 64], into: &state, constants)
        }
        return Data(state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } })
    }

    /// The first 32 bits behind the point of the roots of the first primes: the function's constants.
    private func roots(of count: Int, _ root: (Double) -> Double) -> [UInt32] {
        let primes = (2...).lazy.filter { number in (2..<number).allSatisfy { !number.isMultiple(of: $0) } }
        return primes.prefix(count).map { UInt32(root(Double($0)).truncatingRemainder(dividingBy: 1) * 0x1p32) }
    }

    private func compress(_ block: ArraySlice<UInt8>, into state: inout [UInt32], _ constants: [UInt32]) {
        func rotated(_ word: UInt32, _ bits: UInt32...) -> UInt32 {
            bits.reduce(0) { $0 ^ (word >> $1 | word << (32 - $1)) }
        }
        var schedule = stride(from: block.startIndex, to: block.endIndex, by: 4).map { start in
            block[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        for index in 16..<64 {
            let (early, late) = (schedule[index - 15], schedule[index - 2])
            schedule.append(
                schedule[index - 16] &+ (rotated(early, 7, 18) ^ early >> 3) &+ schedule[index - 7]
                    &+ (rotated(late, 17, 19) ^ late >> 10))
        }
        var words = state
        for index in 0..<64 {
            let (a, b, c, e, f, g) = (words[0], words[1], words[2], words[4], words[5], words[6])
            let first =
                words[7] &+ rotated(e, 6, 11, 25) &+ (e & f ^ ~e & g) &+ constants[index] &+ schedule[index]
            let second = rotated(a, 2, 13, 22) &+ (a & b ^ a & c ^ b & c)
            words = [first &+ second, a, b, c, words[3] &+ first, e, f, g]
        }
        for index in state.indices { state[index] &+= words[index] }
    }
#endif
