/// What `--help` prints: short, with lines that can be copied.
package enum HelpText {
    package static func text(_ topic: Command.Topic) -> String {
        switch topic {
        case .overview: overview
        case .run: run
        case .checkConfig: checkConfig
        case .bench: bench
        case .version: "gateway version\n\nPrints the version.\n"
        }
    }

    private static let overview = """
        gateway: publish with WHIP, watch with WHEP in any browser, in well under a second.

        usage: gateway [run] [FILE] [options]     serve
               gateway check-config [FILE]        check a configuration and say what is wrong
               gateway bench KIND --url URL       load a server, and see what it does with it
               gateway version                    print the version
               gateway help [COMMAND]             more about a command

        Without a file it looks for $GATEWAY_CONFIG, ./gateway.yml and /etc/gateway/gateway.yml;
        none is needed. The page is then at http://localhost:8080/.

        """

    private static let run = """
        gateway [run] [FILE] [options]

          -c, --config FILE     the configuration (the word --config may be left out)
              --set NAME=VALUE  one setting, over file and environment; as often as needed
              --demo            publish two demo streams: live pictures without a camera
              --no-supervise    one process, no restart after a crash: for debuggers
          -h, --help            this

        examples:
          gateway
          gateway /etc/gateway/gateway.yml
          gateway --set webrtc.advertise=203.0.113.5 --set log.level=debug
          GATEWAY_HTTP_LISTEN=:80 gateway

        signals: HUP reads the configuration again, USR1 opens the log file again, USR2 upgrades
        to the program that now lies at the same path, TERM finishes what is going on
        (shutdown.drain) and ends, a second TERM ends at once.
        exit codes: 0 stopped as asked, 1 failed, 2 wrong usage or configuration.

        """

    private static let checkConfig = """
        gateway check-config [FILE] [options]

        Reads the configuration as 'run' would, with the environment, and tells every mistake
        with file, line and what would be right. Starts nothing. Exit code 0 or 2.

          -c, --config FILE     the configuration
              --set NAME=VALUE  one setting, over file and environment
              --print-defaults  print a commented file with every setting and its default
          -h, --help            this

        examples:
          gateway check-config /etc/gateway/gateway.yml && systemctl reload gateway
          gateway check-config --print-defaults > gateway.yml

        """

    private static let bench = """
        gateway bench KIND --url URL [options]

        Load for any server, from one machine, and what came of it. Each kind has a help:

          gateway bench whep --help    viewers of WHEP, as browsers are
          gateway bench flv --help     viewers of HTTP-FLV
          gateway bench rtmp --help    a publisher over RTMP

        With both at once, delays are exact: the publisher's pictures say when they left.
        See docs/bench.md.

        """

    package static func text(_ kind: BenchOptions.Kind) -> String {
        switch kind {
        case .whep: whep
        case .flv: flv
        case .rtmp: rtmp
        }
    }

    private static let whep = """
        gateway bench whep --url http://HOST/PATH [options]

        Viewers as browsers are: WHEP, ICE, DTLS, SRTP over UDP, reports and repeats; for any
        server. Prints what they got, and with --pid what it cost. Exit code 0 if all got it.

              --url URL         the resource to play; http only
              --viewers N       how many (1)
              --ramp N/s        how many begin in a second (all at once)
              --seconds N       how long they play once all have joined (10)
              --rounds N        join, play and leave so often (1)
              --check 1/N       each N-th viewer decrypts, the others count headers (1/1)
              --pid PID         processor time and memory of this process and its children
              --token TOKEN     sent as Authorization: Bearer
              --kernel-time     delays up to the kernel, not up to this program
              --json            one object instead of the table
          -h, --help            this

        examples:
          gateway bench whep --url http://localhost:8080/whep/live/demo --viewers 500
          gateway bench whep --url http://HOST:8889/cam/whep --viewers 200 --rounds 20

        """

    private static let flv = """
        gateway bench flv --url http://HOST/APP/STREAM.flv [options]

        Viewers of HTTP-FLV: a connection each, nothing but reading. Options as for whep;
        --check 1/N lets each N-th viewer take the tags apart, the others count bytes.

        example:
          gateway bench flv --url http://localhost:8080/live/demo-h264.flv --viewers 400

        """

    private static let rtmp = """
        gateway bench rtmp --url rtmp://HOST/APP/STREAM [options]

        A publisher of synthetic H.264, 1280x720, that nobody can decode and every server
        forwards. Each picture carries the time at which it left.

              --url URL         where to publish, with its query (?token=KEY)
              --seconds N       for how long (10)
              --kbps N          the bit rate (2000)
              --fps N           pictures a second (30)
              --gop N           pictures from one key frame to the next (60)
          -h, --help            this

        example:
          gateway bench rtmp --url rtmp://localhost/live/a --seconds 60

        """
}
