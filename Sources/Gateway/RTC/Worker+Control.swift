import ICE
import Stream
import WHIP
import Wire

// The data channel `control`: what a page wants of its session, and what it is told.
extension Worker {
    func serveCommands(_ rtc: RTCDesk) {
        guard !rtc.commands.isEmpty else { return }
        let all = rtc.commands
        rtc.commands.removeAll(keepingCapacity: true)
        for (peer, text) in all where peer.isHere(at: self) { serve(text, of: peer) }
    }

    private func serve(_ text: [UInt8], of peer: RTCPeer) {
        switch WHIPCommand.read(text) {
        case .failure(let mistake):
            tell(peer, WHIPCommand.answer(to: mistake.id, mistake.problem))
        case .success(let command):
            let answer = { [weak self, weak peer] (refusal: Refusal?) in
                guard let self, let peer else { return }
                tell(peer, WHIPCommand.answer(to: command.id, refusal.map { Problem($0) }))
            }
            run(command.wish, of: peer, answer)
        }
    }

    /// A source is authorised as by HTTP: by what the page shows now, from where it came then.
    private func run(
        _ wish: WHIPCommand.Wish, of peer: RTCPeer, _ answer: @escaping (Refusal?) -> Void
    ) {
        switch wish {
        case .layer(let layer): selectRTC(peer.name, layer: LayerChoice(layer), answer)
        case .source(let name, let token):
            guard let asked = peer.request else { return }
            var credential = Credential()
            credential.token = token
            switchRTC(peer.name, to: name.description, credential, asked, answer)
        }
    }

    func tell(_ peer: RTCPeer, _ text: [UInt8]) {
        guard let rtc, peer.isHere(at: self) else { return }
        peer.session.tell(control: text.raw, into: &rtc.out)
        finishRTC(peer, rtc)
    }
}
