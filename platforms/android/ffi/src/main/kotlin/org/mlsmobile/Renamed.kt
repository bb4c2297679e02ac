package org.mlsmobile

// The generator (uniffi 0.32.2) forgets the new names of uniffi.toml in constructors and in the methods of errors.
// When one of these is unused, it has learnt it.

internal typealias MlsClient = FfiClient

internal typealias FfiConverterTypeMlsClient = FfiConverterTypeFfiClient

internal typealias MlsException = FfiException

internal typealias FfiConverterTypeMlsError = FfiConverterTypeFfiError
