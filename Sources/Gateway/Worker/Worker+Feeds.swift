import Media
import Stream
import System
import Wire

/// A publisher of this worker whose stream has its home elsewhere: its media goes there by ring.
final class FeedOut {
    let number: UInt32
    let home: Int
    let name: String
    let participant: Participant
    let channel: ChannelID
    /// The question it was asked with, until the home has answered.
    var question: QuestionID?
    var nextEffect: UInt32 = 0
    /// Records the ring had no room for, oldest first.
    var backlog: [[UInt8]] = []
    var backlogBytes = 0
    /// Something was lost: a frame is of use again from the next key frame on.
    var waitsForKey = false
    var dropped = 0

    /// A second of 16 Mbit/s: a home that is behind by more is not coming back soon.
    static let backlogMaximum = 2 * 1024 * 1024

    init(
        _ number: UInt32, to home: Int, _ name: String, of participant: Participant,
        _ channel: ChannelID, question: QuestionID
    ) {
        self.number = number
        self.home = home
        self.name = name
        self.participant = participant
        self.channel = channel
        self.question = question
    }
}

/// The same at the home: what has come, and which effects wait for their place in the ring.
final class FeedIn {
    let stream: LocalStream
    let epoch: Epoch
    var effects: [UInt32: Effects.Effect] = [:]
    var partial: (item: FeedRecord.Item, bytes: [UInt8])?

    init(_ stream: LocalStream, _ epoch: Epoch) {
        self.stream = stream
        self.epoch = epoch
    }
}

struct FeedAddress: Hashable {
    let worker: Int
    let number: UInt32
}

// Publishers that landed at another worker than the home of their stream.
extension Worker {
    // MARK: Where the publisher is

    func publishElsewhere(
        _ publication: Publication, as name: String, at home: Int, _ channel: ChannelID,
        _ id: QuestionID, _ participant: Participant
    ) {
        nextFeed &+= 1
        let feed = FeedOut(nextFeed, to: home, name, of: participant, channel, question: id)
        feedsOut[nextFeed] = feed
        participant.publications[channel] = .elsewhere(feed)
        neighbours.post(
            .publish(from: plan.index, feed: nextFeed, name: name, publication), to: home)
    }

    /// The home has decided.
    func published(_ number: UInt32, _ result: Result<Epoch, Refusal>) {
        guard let feed = feedsOut[number], let id = feed.question else { return }
        feed.question = nil
        switch result {
        case .success(let epoch): reply(.published(epoch), id, feed.participant)
        case .failure(let refusal):
            feedsOut[number] = nil
            feed.participant.publications[feed.channel] = nil
            reply(.refused(refusal), id, feed.participant)
        }
        runEffects(of: feed.participant)
    }

    func notice(_ number: UInt32, _ notice: Notice) {
        guard let feed = feedsOut[number] else { return }
        switch notice {
        case .keyWanted(_, let slot, let layer):
            tell(.keyWanted(feed.channel, slot, layer: layer), feed.participant)
        case .ended(_, let reason):
            feedsOut[number] = nil
            feed.participant.publications[feed.channel] = nil
            tell(.ended(feed.channel, reason), feed.participant)
        case .demand(_, let slot, let bits, let layer):
            tell(
                .demand(feed.channel, slot, bits: bits, highestLayer: layer), feed.participant)
        case .changed: break
        }
    }

    /// An effect that is not media: by letter, and a mark in the ring keeps its place.
    func forward(_ effect: Effects.Effect, by feed: FeedOut) {
        feed.nextEffect &+= 1
        neighbours.post(
            .feedEffect(from: plan.index, feed: feed.number, feed.nextEffect, effect),
            to: feed.home)
        put(.effect(feed: feed.number, number: feed.nextEffect), RawSpan(), by: feed)
    }

    /// Items of the effects that are being run.
    func forward(_ items: Range<Int>, _ slot: SlotName, _ layer: UInt8, by feed: FeedOut) {
        for index in items {
            let meta = running.media.items[index].meta
            if feed.waitsForKey, slot.kind == .video {
                guard meta.isKey, meta.startsFrame else {
                    feed.dropped += 1
                    continue
                }
                feed.waitsForKey = false
            }
            let bytes = running.media.bytes(of: index)
            var offset = 0
            repeat {
                let count = min(PieceHead.pieceMaximum, bytes.byteCount - offset)
                let item = FeedRecord.Item(
                    feed: feed.number, slot: slot, layer: layer,
                    sequence: running.sequences[index],
                    piece: PieceHead(meta: meta, total: bytes.byteCount, offset: offset))
                put(.item(item), bytes.extracting(offset..<offset + count), by: feed)
                offset += count
            } while offset < bytes.byteCount
        }
    }

    func close(_ feed: FeedOut, _ reason: EndReason) {
        guard feedsOut.removeValue(forKey: feed.number) != nil else { return }
        forward(.unpublish(0, reason), by: feed)
        closingFeeds.append(feed)
    }

    private func put(_ record: FeedRecord, _ bytes: RawSpan, by feed: FeedOut) {
        record.write(into: &feedHead)
        if feed.backlog.isEmpty, ring(to: feed.home).write(.feed, feedHead.raw, bytes) { return }
        if case .item = record,
            feed.backlogBytes + bytes.byteCount > FeedOut.backlogMaximum
        {
            feed.dropped += 1
            feed.waitsForKey = true
            return
        }
        var whole = feedHead
        whole.append(copying: bytes)
        feed.backlogBytes += whole.count
        feed.backlog.append(whole)
        retryAt = min(retryAt, now + .milliseconds(1))
    }

    /// What the rings had no room for, in the order it came.
    func flushFeeds() {
        for feed in feedsOut.values where !feed.backlog.isEmpty { flush(feed) }
        for feed in closingFeeds { flush(feed) }
        closingFeeds.removeAll { $0.backlog.isEmpty }
    }

    private func flush(_ feed: FeedOut) {
        let ring = ring(to: feed.home)
        var sent = 0
        for record in feed.backlog {
            guard ring.write(.feed, record.raw, RawSpan()) else { break }
            feed.backlogBytes -= record.count
            sent += 1
        }
        feed.backlog.removeFirst(sent)
        if !feed.backlog.isEmpty { retryAt = min(retryAt, now + .milliseconds(1)) }
    }

    // MARK: At home

    func publish(
        _ publication: Publication, as name: String, from worker: Int, feed number: UInt32
    ) {
        do throws(Refusal) {
            let claim = try claim(name)
            guard claim.home == plan.index else {
                throw Refusal(.shuttingDown, "\(name) has moved to another home; try again")
            }
            let local = home(name, lastEpoch: claim.lastEpoch)
            let epoch = try begin(
                publication, at: local, .feed(worker: worker, number: number))
            feedsIn[FeedAddress(worker: worker, number: number)] = FeedIn(local, epoch)
            neighbours.post(.published(feed: number, .success(epoch)), to: worker)
        } catch {
            neighbours.post(.published(feed: number, .failure(error)), to: worker)
        }
    }

    func receiveEffect(_ effect: Effects.Effect, _ number: UInt32, of address: FeedAddress) {
        feedsIn[address]?.effects[number] = effect
    }

    /// - Returns: False if it must wait for a letter that is still on its way.
    func receiveFed(_ record: RawSpan, from worker: Int) -> Bool {
        do throws(ParseError) {
            let (read, start) = try FeedRecord.read(record)
            let address = FeedAddress(worker: worker, number: read.feed)
            guard let feed = feedsIn[address] else {
                counters.relayRecordsStale += 1
                return true
            }
            switch read {
            case .effect(_, let number):
                guard let effect = feed.effects.removeValue(forKey: number) else { return false }
                run(effect, of: feed, address)
            case .item(let item):
                take(item, record.extracting(start..<record.byteCount), of: feed)
            }
        } catch {
            log.error(code: "feed", "a record of a publisher was refused: \(error)")
        }
        return true
    }

    private func run(_ effect: Effects.Effect, of feed: FeedIn, _ address: FeedAddress) {
        let local = feed.stream
        if case .unpublish(_, let reason) = effect {
            feedsIn[address] = nil
            return unpublish(local, feed.epoch, reason)
        }
        guard let stream = local.stream else { return }
        apply(effect, to: stream, feed.epoch)
        runOrders(of: local)
    }

    private func take(_ item: FeedRecord.Item, _ piece: RawSpan, of feed: FeedIn) {
        let (total, offset) = (item.piece.total, item.piece.offset)
        if offset == 0, piece.byteCount == total { return store(item, piece, of: feed) }
        if offset == 0 { feed.partial = (item, []) }
        guard var partial = feed.partial, partial.bytes.count == offset else {
            feed.partial = nil
            return
        }
        feed.partial = nil
        partial.bytes.append(copying: piece)
        if partial.bytes.count == total {
            store(partial.item, partial.bytes.raw, of: feed)
        } else {
            feed.partial = partial
        }
    }

    private func store(_ item: FeedRecord.Item, _ bytes: RawSpan, of feed: FeedIn) {
        guard let stream = feed.stream.stream else { return }
        fed.packet(
            bytes, item.piece.meta, sequence: item.sequence, channel: 0, slot: item.slot,
            layer: item.layer)
        stream.store(
            fed, items: 0..<1, slot: item.slot, layer: item.layer, epoch: feed.epoch, at: now,
            into: &orders)
        fed.clear()
        runOrders(of: feed.stream)
        markDirty(feed.stream)
    }
}
