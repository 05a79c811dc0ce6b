import Stream
import System
import Wire

// Letters from other threads, and questions to all workers at once.
extension Worker {
    func readLetters() {
        neighbours.mailbox(of: plan.index).collect(into: &letters)
        counters.lettersIn += Int64(letters.count)
        for letter in letters { read(letter) }
        letters.removeAll(keepingCapacity: true)
    }

    private func read(_ letter: Letter) {
        switch letter {
        case .stop(let patience): stop(within: patience)
        case .beat: neighbours.answerBeat(plan.index)
        case .settings(let settings): apply(settings)
        case .report(let asker, let id, let detail):
            neighbours.post(.reported(id, report(detail)), to: asker)
        case .kick(let id): kick(id)
        case .reported(let id, let report): note(report, for: id)
        case .ring(let worker, let parcel):
            if let reader = parcel.take() { ringsIn.append(RingIn(from: worker, reader)) }
        case .relay(let up, let worker): receive(up, from: worker)
        case .changed(let name): changed(name)
        case .ended(let name, let reason):
            if let local = streams[name], local.relayed != nil {
                endReaders(of: local, because: reason)
                runOrders(of: local)
            }
        case .publish(let worker, let feed, let name, let publication):
            publish(publication, as: name, from: worker, feed: feed)
        case .published(let feed, let result): published(feed, result)
        case .feedEffect(let worker, let feed, let number, let effect):
            receiveEffect(effect, number, of: FeedAddress(worker: worker, number: feed))
        case .feedNotice(let feed, let notice): self.notice(feed, notice)
        case .rtc(let letter): read(letter)
        case .hls(let letter): read(letter)
        case .gb(let letter): read(letter)
        case .transcoded(let result): receive(result)
        case .srt(let arrival): admit(arrival)
        case .channels(let news): receive(news)
        }
    }

    /// What is going on goes on; what comes next meets the new settings.
    private func apply(_ settings: WorkerSettings) {
        plan.gate = settings.gate
        plan.front = settings.front
        plan.rules = settings.rules
        plan.links = settings.links
        renewLinks()
        if let rtc, let changed = settings.rtc { take(changed, rtc) }
        guard let tls = settings.tls, let context = makeContext(tls) else { return }
        for listener in listeners where listener.isEncrypted { listener.renew(context) }
    }

    /// No new connections from here on; sessions are told, and have this long to finish.
    private func stop(within patience: Interval) {
        guard stopping == nil else { return }
        stopping = now + patience
        stopGB()
        for listener in listeners { listener.stop(&poller) }
        endListeners()
        connections.forEach { connection in
            connection.session.drain(at: now, into: &effects, out: &connection.out)
            runEffects(of: connection)
            wantFlush(connection)
        }
        rtc?.peers.forEach { close($0, because: .shuttingDown) }
        for socket in datagramSockets { socket.stop(&poller) }
        stopListeningLines()
    }

    private func report(_ detail: ReportDetail) -> WorkerReport {
        var kinds: [String: Int] = [:]
        connections.forEach { kinds[$0.service, default: 0] += 1 }
        var report = WorkerReport(
            worker: plan.index, counters: counters, connections: kinds)
        if let rtc { report.rtc = rtc.states(isFirst: plan.index == 0) }
        report.gb = gb?.report(detail == .cameras, at: now)
        report.links = links.map { $0.report(at: now) }
        if detail == .streams || detail == .sessions { report.streams = streamReports }
        if detail == .sessions { report.sessions = sessionReports }
        return report
    }

    /// Asks every worker, this one too; `done` is called once, with all answers or with those that
    /// came in time.
    func gather(_ detail: ReportDetail, _ done: @escaping (Gather) -> Void) {
        nextGather &+= 1
        gathers[nextGather] = (Gather(workers: neighbours.count, at: now), done)
        neighbours.postToAll(.report(to: plan.index, nextGather, detail))
    }

    private func note(_ report: WorkerReport, for id: Gather.ID) {
        gathers[id]?.gather.note(report)
        if gathers[id]?.gather.isComplete == true { finishGather(id) }
    }

    func expireGathers() {
        for (id, entry) in gathers where entry.gather.deadline <= now { finishGather(id) }
    }

    private func finishGather(_ id: Gather.ID) {
        guard let entry = gathers.removeValue(forKey: id) else { return }
        entry.done(entry.gather)
    }
}
