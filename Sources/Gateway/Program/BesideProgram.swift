import Glibc

/// Folders that come with the program.
enum BesideProgram {
    /// Installed: `PREFIX/bin/gateway` and `PREFIX/share/gateway/NAME`. In a checkout the program
    /// lies four folders below the one that has them.
    static func folder(_ name: String, holding file: String) -> String? {
        var folder = Program.executable
        for _ in 0..<5 {
            guard let slash = folder.lastIndex(of: "/") else { return nil }
            folder = String(folder[..<slash])
            for place in ["\(folder)/\(name)", "\(folder)/share/gateway/\(name)"]
            where unsafe access("\(place)/\(file)", R_OK) == 0 {
                return place
            }
        }
        return nil
    }
}
