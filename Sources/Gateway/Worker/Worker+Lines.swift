import Stream
import System
import Wire

// Lines: sockets for datagrams beside the port of WebRTC. Opened, read, written and closed here;
// what they carry is their owners' matter.
extension Worker {
    /// What the plan brings: sockets that protocols listen on.
    func openListeningLines() throws(SystemError) {
        for line in plan.lines {
            guard let descriptor = line.socket.take() else { continue }
            let lines = line.served.make(self)
            let socket = try UDPSocket(adopting: descriptor)
            try add(DatagramLine(0, socket, of: lines), to: lines)
        }
    }

    /// Opens one on an address; port 0: any.
    ///
    /// - Parameter sharing: Others may have the same port: a group of multicast has many members.
    @discardableResult
    func openLine(
        _ number: LineNumber, at address: Address, sharing: Bool = false, of lines: LineSet
    ) throws(Refusal) -> DatagramLine {
        try checkRoom(for: 1)
        do throws(SystemError) {
            let socket = try UDPSocket(bind: address, reusePort: sharing)
            let line = DatagramLine(number, socket, of: lines)
            try add(line, to: lines)
            return line
        } catch {
            counters.linesRefused += 1
            throw Refusal(.tooMany, "no UDP port can be opened: \(error)")
        }
    }

    /// Opens two on ports that follow each other; the second gets the number behind the first's.
    ///
    /// - Parameter setting: The key of the range, to be named when all of it is taken.
    /// - Returns: The even port.
    func openPair(
        _ number: LineNumber, in range: PortRange, at address: Address = .any(port: 0),
        setting: String, of lines: LineSet
    ) throws(Refusal) -> UInt16 {
        try checkRoom(for: 2)
        do throws(SystemError) {
            let opened = try UDPPair.open(in: range, at: address, beginningAt: random.next())
            if let pair = opened {
                var both: [DatagramLine] = []
                pair.take { first, second in
                    both.append(DatagramLine(number, first, of: lines))
                    both.append(DatagramLine(number &+ 1, second, of: lines))
                }
                for line in both { try add(line, to: lines) }
                return both[0].localAddress.port
            }
        } catch {
            counters.linesRefused += 1
            throw Refusal(.tooMany, "no UDP ports can be opened: \(error)")
        }
        counters.linesRefused += 1
        let ports = "\(range.first)-\(range.last)"
        throw Refusal(.tooMany, "all pairs of the UDP ports \(ports) are taken: widen \(setting)")
    }

    private func checkRoom(for count: Int) throws(Refusal) {
        guard self.lines.count + count > plan.limits.lines else { return }
        counters.linesRefused += 1
        throw Refusal(.tooMany, "\(plan.limits.lines) UDP ports are open: more than enough")
    }

    private func add(_ line: DatagramLine, to lines: LineSet) throws(SystemError) {
        if lineSets[lines.identity] == nil { lines.identity = lineSets.insert(lines) }
        line.identity = self.lines.insert(line)
        lines.lines.append(line)
        counters.linesOpened += 1
        do throws(SystemError) {
            try line.register(with: &poller, tag: Tag.line(line.identity.index).number)
        } catch {
            close(line)
            throw error
        }
    }

    /// Nothing comes or goes by it any more.
    func close(_ line: DatagramLine) {
        guard let lines = line.lines else { return }
        if let registration = line.registration { poller.remove(registration) }
        self.lines.remove(line.identity.index)
        lines.lines.removeAll { $0 === line }
        line.lines = nil
        counters.linesClosed += 1
    }

    /// All lines of an owner; what waits in their queue is forgotten.
    func close(_ lines: LineSet) {
        for line in lines.lines { close(line) }
        noteDropped(lines)
        lines.queue.clear()
        lines.isBlocked = false
        guard lineSets[lines.identity] != nil else { return }
        lineDeadlines.clear(lines.identity.index)
        lineSets.remove(lines.identity.index)
    }

    /// When the owner is to be called again.
    func setDeadline(of lines: LineSet, _ deadline: Instant) {
        guard lineSets[lines.identity] != nil else { return }
        lineDeadlines.set(lines.identity.index, deadline)
    }

    func serveLineDeadlines() {
        due.removeAll(keepingCapacity: true)
        lineDeadlines.takeDue(at: now, into: &due)
        for slot in due {
            if let lines = lineSets[slot] { lines.owner.expire(lines, at: self) }
        }
    }

    // MARK: - Receiving

    func serveLine(_ index: Int, _ event: Poller.Event) {
        guard let line = lines[index], let lines = line.lines else { return }
        if event.isWritable {
            setBlocked(line, of: lines, false)
            wantFlush(lines)
        }
        if event.isReadable || event.isBroken { receive(on: line, of: lines) }
    }

    private func receive(on line: DatagramLine, of lines: LineSet) {
        for _ in 0..<ReceiveSlab.batchesPerTurn {
            do throws(SystemError) {
                guard try line.receive(into: &slab) else { return }
            } catch {
                log.warning("\(lines.service) at port \(line.localAddress.port): \(error)")
                return
            }
            let totals = slab.totals
            counters.datagramsIn += Int64(totals.datagrams)
            counters.datagramBytesIn += Int64(totals.bytes)
            lines.owner.receive(&slab, on: line, at: self)
            // The owner may have closed it.
            if !slab.mayHaveMore || line.lines == nil { return }
        }
    }

    // MARK: - Sending

    func wantFlush(_ lines: LineSet) {
        guard !lines.isInFlush, lineSets[lines.identity] != nil else { return }
        lines.isInFlush = true
        lineSetsToFlush.append(lines)
    }

    func flushLines() {
        var index = 0
        while index < lineSetsToFlush.count {
            let lines = lineSetsToFlush[index]
            index += 1
            lines.isInFlush = false
            send(lines)
        }
        lineSetsToFlush.removeAll(keepingCapacity: true)
    }

    private func send(_ lines: LineSet) {
        guard !lines.isBlocked else { return }
        let wasHeldBack = lines.isHeldBack
        while true {
            lineBatch.clear()
            guard let run = lines.queue.fill(&lineBatch) else { break }
            guard let line = lines[run.line] else {
                // It was closed after this had been written.
                lines.queue.advance(run.count)
                continue
            }
            guard send(line, of: lines, run.count) else { break }
        }
        noteDropped(lines)
        lines.isHeldBack = lines.isBlocked
        if wasHeldBack, !lines.isBlocked { lines.owner.linesHaveRoom(at: self) }
    }

    /// - Returns: False if the socket is full.
    private func send(_ line: DatagramLine, of lines: LineSet, _ count: Int) -> Bool {
        let before = sender.counts
        let outcome = line.send(lineBatch, by: &sender)
        let after = sender.counts
        counters.datagramsOut += Int64(after.datagrams - before.datagrams)
        counters.messagesOut += Int64(after.messages - before.messages)
        counters.datagramsRefused += Int64(after.refused - before.refused)
        switch outcome {
        case .all:
            counters.datagramBytesOut += Int64(lineBatch.byteCount)
            lines.queue.advance(count)
            return true
        case .blocked(let position):
            let runs = (0..<position.run).reduce(0) { $0 + lineBatch.run($1).count }
            lines.queue.advance(runs + position.datagram)
            setBlocked(line, of: lines, true)
            return false
        }
    }

    private func noteDropped(_ lines: LineSet) {
        counters.lineDatagramsDropped += Int64(lines.queue.dropped - lines.dropped)
        lines.dropped = lines.queue.dropped
    }

    /// The poller would spin on a writable socket that nothing is to be written to.
    private func setBlocked(_ line: DatagramLine, of lines: LineSet, _ isBlocked: Bool) {
        lines.isBlocked = isBlocked
        guard let registration = line.registration else { return }
        do throws(SystemError) {
            try poller.modify(registration, isBlocked ? [.read, .write] : .read)
        } catch {
            log.error(code: "datagrams", "\(error)")
        }
    }

    // MARK: - The end

    /// The gateway stops: what comes to listening lines from here on is for the next process.
    func stopListeningLines() {
        lineSets.forEach { if $0.isListening { $0.owner.end($0, at: self) } }
    }

    func endLines() { lineSets.forEach { $0.owner.end($0, at: self) } }
}
