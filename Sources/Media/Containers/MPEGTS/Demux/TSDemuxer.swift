import Wire

/// Takes a transport stream apart (ISO/IEC 13818-1 §2.4): finds its packets, reads its tables, and
/// gives out the payloads of its elementary streams. It holds no media.
struct TSDemuxer: Sendable {
    enum Step: Equatable, Sendable {
        /// The tables name these now; those of a number before are no more.
        case elements([TSElement])
        /// A packet of the element at that place.
        case packet(element: Int, TSPacketHead, at: Int, hasGap: Bool)
    }

    struct Figures: Equatable, Sendable {
        var packets: UInt64 = 0
        /// Numbers that did not follow: packets were lost before they came here.
        var gaps: UInt64 = 0
        var scrambled: UInt64 = 0
        /// Packets and tables that were damaged, and losses of the packets' beginning.
        var damaged: UInt64 = 0
    }

    /// What belongs to one PID.
    private struct Lane: Sendable {
        var pid: UInt16
        var check = TSContinuityCheck()
    }

    private let wanted: UInt16?
    private var association = Lane(pid: TSTables.associationPID)
    private var associationSections = TSSections()
    private var map: Lane?
    private var program: UInt16 = 0
    private var mapSections = TSSections()
    private var lanes: [Lane] = []
    private(set) var elements: [TSElement] = []
    private var counted = Figures()
    private var aligner = TSAligner()

    /// - Parameter program: Of a stream with several; nil: the first.
    init(program: UInt16?) { wanted = program }

    var figures: Figures {
        var figures = counted
        figures.damaged &+= associationSections.damaged &+ mapSections.damaged &+ aligner.losses
        return figures
    }

    /// Whether bytes of the last call wait for those that follow.
    var hasRest: Bool { !aligner.rest.isEmpty }
    mutating func join(_ bytes: RawSpan) -> [UInt8] { aligner.join(bytes) }
    mutating func keep(_ bytes: RawSpan, from at: Int) { aligner.keep(bytes, from: at) }

    /// The next that matters in `bytes`, from `at` on.
    mutating func next(in bytes: RawSpan, at: inout Int) -> Step? {
        while let range = aligner.next(in: bytes, at: &at) {
            let packet = bytes.extracting(range)
            counted.packets &+= 1
            guard let head = TSPacketHead(packet), !head.isBroken else {
                counted.damaged &+= 1
                continue
            }
            guard head.pid != TSPacketHead.nullPID else { continue }
            guard !head.isScrambled else {
                counted.scrambled &+= 1
                continue
            }
            if let step = read(head, packet, range.lowerBound) { return step }
        }
        return nil
    }

    private mutating func read(_ head: TSPacketHead, _ packet: RawSpan, _ at: Int) -> Step? {
        if head.pid == TSTables.associationPID {
            readAssociation(head, packet)
            return nil
        }
        if head.pid == map?.pid { return readMap(head, packet) }
        guard let index = lanes.firstIndex(where: { $0.pid == head.pid }) else { return nil }
        let verdict = lanes[index].check.receive(head)
        if verdict == .gap { counted.gaps &+= 1 }
        guard verdict != .repeated, !head.payload.isEmpty else { return nil }
        return .packet(element: index, head, at: at, hasGap: verdict == .gap)
    }

    private mutating func readAssociation(_ head: TSPacketHead, _ packet: RawSpan) {
        let verdict = association.check.receive(head)
        if verdict == .gap { associationSections.reset() }
        guard verdict != .repeated else { return }
        let payload = packet.extracting(head.payload)
        for section in associationSections.receive(payload, startsUnit: head.startsUnit) {
            guard let found = TSProgram.mapPID(association: section, wanted: wanted),
                found.pid != map?.pid || found.program != program
            else { continue }
            map = Lane(pid: found.pid)
            program = found.program
            mapSections = TSSections()
        }
    }

    private mutating func readMap(_ head: TSPacketHead, _ packet: RawSpan) -> Step? {
        let verdict = map?.check.receive(head) ?? .follows
        if verdict == .gap { mapSections.reset() }
        guard verdict != .repeated else { return nil }
        let payload = packet.extracting(head.payload)
        var changed: [TSElement]?
        for section in mapSections.receive(payload, startsUnit: head.startsUnit) {
            changed = TSProgram.elements(map: section, program: program) ?? changed
        }
        guard let changed, changed != elements else { return nil }
        lanes = changed.map { element in
            lanes.first { $0.pid == element.pid } ?? Lane(pid: element.pid)
        }
        elements = changed
        return .elements(changed)
    }
}
