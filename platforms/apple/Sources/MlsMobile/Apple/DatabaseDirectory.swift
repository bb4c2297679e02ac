#if canImport(Security)
    import Foundation

    /// A folder for the database inside the App Group, which app and extensions share. It is the database's own,
    /// because `-wal` and `-shm` come and go beside it and must be protected and left out of backups like it.
    public enum DatabaseDirectory {
        /// Why there is no folder.
        public enum Failure: Error, Hashable, Sendable {
            /// The app has no such App Group: see its entitlements.
            case noAppGroup
            /// The folder cannot be made or set up.
            case failed(code: Int)
        }

        /// The folder, made if it is missing: readable after the first unlock, in no backup.
        public static func inAppGroup(
            _ group: String, named name: String = "mls"
        ) throws -> URL {
            let files = FileManager.default
            guard let container = files.containerURL(forSecurityApplicationGroupIdentifier: group) else {
                throw Failure.noAppGroup
            }
            var folder = container.appendingPathComponent(name, isDirectory: true)
            do {
                try files.createDirectory(at: folder, withIntermediateDirectories: true)
                #if !os(macOS)
                    try files.setAttributes(
                        [.protectionKey: FileProtectionType.completeUntilFirstUserAuthentication],
                        ofItemAtPath: folder.path)
                #endif
                var values = URLResourceValues()
                values.isExcludedFromBackup = true
                try folder.setResourceValues(values)
            } catch {
                throw Failure.failed(code: (error as NSError).code)
            }
            return folder
        }
    }
#endif
