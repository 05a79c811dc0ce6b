import Synchronization
import Testing
import Wire

@testable import System

struct MailboxTests {
    @Test func lettersArriveInOrderFromAnotherThread() throws {
        let mailbox = try Mailbox<Int>()
        var poller = try Poller()
        _ = try poller.add(mailbox.bell, tag: 0)
        let postman = try Thread("postman") { for letter in 0..<1000 { mailbox.post(letter) } }
        var received: [Int] = []
        var letters: [Int] = []
        while received.count < 1000 {
            try poller.wait(.seconds(5))
            guard poller.next() != nil else { break }
            mailbox.bell.awake()
            mailbox.collect(into: &letters)
            received += letters
        }
        postman.join()
        #expect(received == Array(0..<1000))
    }

    @Test func aBatchRingsOnce() throws {
        let mailbox = try Mailbox<Int>()
        for letter in 0..<10 { mailbox.post(letter) }
        #expect(mailbox.bell.rings() == 1)
        var letters: [Int] = []
        mailbox.collect(into: &letters)
        #expect(letters == Array(0..<10))
        mailbox.post(10)
        #expect(mailbox.bell.rings() == 1, "collected: the next letter rings again")
    }

    @Test func collectingLosesNoMemory() throws {
        let mailbox = try Mailbox<Int>()
        var letters: [Int] = []
        for _ in 0..<4 {
            for letter in 0..<100 { mailbox.post(letter) }
            mailbox.collect(into: &letters)
        }
        #expect(letters.capacity >= 100)
        for letter in 0..<100 { mailbox.post(letter) }
        mailbox.collect(into: &letters)
        #expect(letters.count == 100)
        #expect(mailbox.isEmpty)
    }

    @Test func aForgottenMailboxRefusesAtItsBound() throws {
        let mailbox = try Mailbox<UInt8>()
        for _ in 0..<Mailbox<UInt8>.lettersMaximum { mailbox.post(0) }
        #expect(mailbox.post(1) == false)
    }

    @Test func aParcelIsTakenOnce() throws {
        let parcel = Parcel(try UDPSocket(bind: loopback))
        let taken = Mutex(0)
        let threads = try Thread("first") {
            if parcel.take() != nil { taken.withLock { $0 += 1 } }
        }
        if parcel.take() != nil { taken.withLock { $0 += 1 } }
        threads.join()
        #expect(taken.withLock { $0 } == 1)
    }
}
