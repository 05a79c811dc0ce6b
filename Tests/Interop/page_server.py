#!/usr/bin/env python3
"""A small WHIP/WHEP server with the page and its API, to work on `public/` without the gateway.

It answers as public/README.md says: the same paths, headers and bodies, the same refusals. Media is
decoded and encoded again by aiortc, so its figures mean nothing.
"""
import argparse
import asyncio
import json
import pathlib
import time
import uuid

from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaBlackhole, MediaPlayer, MediaRelay

PUBLIC = pathlib.Path(__file__).resolve().parents[2] / "public"
POLICY = ("default-src 'self'; media-src 'self' blob:; connect-src 'self' blob:; "
          "base-uri 'none'; form-action 'self'; frame-ancestors 'self'")
EVENTS = "urn:ietf:params:whep:ext:core:server-sent-events"
CODECS = {"video/VP8": "VP8", "video/H264": "H.264", "audio/opus": "Opus"}


class Stream:
    """A name with tracks."""

    def __init__(self, name, protocol):
        self.name, self.protocol, self.began = name, protocol, time.time()
        self.tracks, self.codecs, self.size = {}, {}, (0, 0)
        self.channels, self.viewers = set(), set()

    def described(self):
        tracks = []
        for kind, track in self.tracks.items():
            one = {"slot": f"{kind}0", "codec": self.codecs.get(kind, "Opus")}
            if kind == "video" and self.size[0]:
                one["width"], one["height"] = self.size
            tracks.append(one)
        return {"name": self.name, "ready": bool(self.tracks), "bitrate": 900_000,
                "uptime": time.time() - self.began, "viewers": len(self.viewers),
                "publisher": {"protocol": self.protocol, "session": "dev"}, "tracks": tracks}


class Server:
    def __init__(self, options):
        self.options, self.relay = options, MediaRelay()
        self.streams, self.sessions = {}, {}

    # ---- the page and its API ----

    async def page(self, request):
        path = request.path
        if path == "/":
            file = PUBLIC / "index.html"
        elif path == "/favicon.ico":
            file = PUBLIC / "assets/icon.svg"
        elif path.startswith("/assets/"):
            file = PUBLIC / "assets" / pathlib.PurePath(path).name
        else:
            file = PUBLIC / ("play.html" if path.startswith("/play/") else "publish.html")
        if not file.is_file():
            return problem(404, "not-found", "Nothing is served here", path)
        return web.FileResponse(file, headers={"Cache-Control": "no-cache",
                                               "Content-Security-Policy": POLICY})

    async def info(self, _request):
        body = {"name": "gateway", "version": "dev", "demo": [],
                "webrtc": {"addresses": [{"address": "127.0.0.1", "port": 8000,
                                          "protocol": protocol, "scope": "loopback"}
                                         for protocol in ("udp", "tcp")],
                           "warnings": []},
                "outputs": [], "ports": {"rtmp": 1935, "rtsp": 8554, "srt": 8890}}
        if self.options.warn:
            body["webrtc"]["warnings"].append({
                "code": "only-loopback", "detail": "Only loopback addresses are advertised.",
                "fix": "Set webrtc.advertise to an address that viewers can reach."})
        if self.options.fmp4:
            body["outputs"].append({"kind": "fmp4", "path": "/{name}.mp4"})
        return web.json_response(body)

    async def list(self, request):
        wanted = self.options.admin_token
        if wanted and request.headers.get("Authorization") != f"Bearer {wanted}":
            return problem(401, "unauthorized", "Credentials are missing or wrong",
                           "no admin token", "Send the key as a Bearer token or ?token=")
        items = [stream.described() for stream in self.streams.values()]
        return web.json_response({"page": 1, "itemsPerPage": 100, "itemCount": len(items),
                                  "pageCount": 1, "items": items})

    # ---- WHIP and WHEP ----

    async def whip(self, request):
        wanted = self.options.publish_key
        if wanted and request.headers.get("Authorization") != f"Bearer {wanted}":
            return problem(401, "unauthorized", "Credentials are missing or wrong",
                           "no publish key", "Send the key as a Bearer token or ?token=")
        name, pc = request.match_info["name"], peer()
        stream = self.streams[name] = Stream(name, "whip")

        @pc.on("track")
        def on_track(track):
            stream.tracks[track.kind] = track
            sink = MediaBlackhole()
            sink.addTrack(self.relay.subscribe(track))
            asyncio.ensure_future(sink.start())

        @pc.on("connectionstatechange")
        def on_state():
            if pc.connectionState in ("closed", "failed") and self.streams.get(name) is stream:
                del self.streams[name]

        self.listen(pc, stream, is_publisher=True)
        await pc.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        answer = await self.answer(request, pc)
        for transceiver in pc.getTransceivers():
            if transceiver._codecs:
                stream.codecs[transceiver.kind] = CODECS.get(transceiver._codecs[0].mimeType, "?")
        return answer

    async def whep(self, request):
        name = request.match_info["name"]
        stream = self.streams.get(name)
        if stream is None:
            return problem(409, "stream-not-live", "Nobody is publishing this stream yet", name,
                           "Start the publisher", {"Retry-After": "2"})
        pc = peer()
        viewer = object()

        @pc.on("connectionstatechange")
        def on_state():
            stream.viewers.add(viewer)
            if pc.connectionState in ("closed", "failed"):
                stream.viewers.discard(viewer)

        self.listen(pc, stream, is_publisher=False)
        await pc.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        for transceiver in pc.getTransceivers():
            if transceiver.kind in stream.tracks:
                track = stream.tracks[transceiver.kind]
                pc.addTrack(self.relay.subscribe(track, buffered=False))
        return await self.answer(request, pc, {"Link": f'</events/{name}>; rel="{EVENTS}"'})

    def listen(self, pc, stream, is_publisher):
        """`echo` comes back; `chat` of the publisher goes to all viewers."""
        @pc.on("datachannel")
        def on_channel(channel):
            if channel.label == "chat" and not is_publisher:
                stream.channels.add(channel)

            @channel.on("message")
            def on_message(message):
                if channel.label == "echo":
                    channel.send(message)
                elif is_publisher:
                    for other in stream.channels:
                        if other.readyState == "open":
                            other.send(message)

    async def answer(self, request, pc, more=None):
        await pc.setLocalDescription(await pc.createAnswer())
        session = uuid.uuid4().hex
        self.sessions[session] = pc
        head = {"Location": f"/{request.path.split('/')[1]}/session/{session}",
                "ETag": f'"{session[:8]}"', **(more or {})}
        return web.Response(status=201, text=pc.localDescription.sdp,
                            content_type="application/sdp", headers=head)

    async def session(self, request):
        session = request.match_info["session"]
        if request.method == "DELETE":
            pc = self.sessions.pop(session, None)
            if pc:
                await pc.close()
            return web.Response(status=200 if pc else 404)
        return web.Response(status=204 if session in self.sessions else 404)

    async def events(self, request):
        """POST makes an event stream, GET is one."""
        if request.method == "POST":
            await request.read()
            return web.Response(status=201, headers={"Location": request.path})
        stream = self.streams.get(request.match_info["name"])
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        try:
            while stream:
                data = json.dumps({"viewercount": len(stream.viewers)})
                await answer.write(f"event: viewercount\ndata: {data}\n\n".encode())
                await asyncio.sleep(1)
        except ConnectionResetError:
            pass  # the viewer has left
        return answer

    async def fragments(self, request):
        """Fragmented MP4 of a file, at its own speed."""
        command = ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", self.options.fmp4,
                   "-c", "copy", "-f", "mp4", "-movflags",
                   "empty_moov+default_base_moof+frag_every_frame", "pipe:1"]
        child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        answer = web.StreamResponse(headers={"Content-Type": "video/mp4"})
        try:
            await answer.prepare(request)
            while data := await child.stdout.read(65536):
                await answer.write(data)
        except ConnectionResetError:
            pass  # the viewer has left
        finally:
            child.kill()
        return answer

    async def load(self, _app):
        for given in self.options.file:
            name, path = given.split("=", 1)
            player = MediaPlayer(path, loop=True)
            stream = self.streams[name] = Stream(name, "file")
            stream.player = player
            for track in (player.video, player.audio):
                if track:
                    stream.tracks[track.kind] = track
                    stream.codecs[track.kind] = "VP8" if track.kind == "video" else "Opus"


@web.middleware
async def cross_origin(request, handler):
    """Any page may play and publish here, as with the gateway."""
    is_preflight = request.method == "OPTIONS"
    response = web.Response(status=204) if is_preflight else await handler(request)
    if not response.prepared:
        response.headers.update({
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "OPTIONS, GET, HEAD, POST, PATCH, DELETE",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
            "Access-Control-Expose-Headers": "Location, ETag, Link, Retry-After"})
    return response


def peer():
    """aiortc would ask a public STUN server by itself."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


def problem(status, code, title, detail, fix="", headers=None):
    body = {"type": f"/problems/{code}", "title": title, "status": status, "code": code,
            "detail": detail, "error": detail, **({"fix": fix} if fix else {})}
    return web.Response(status=status, text=json.dumps(body), headers=headers,
                        content_type="application/problem+json")


def application(options):
    server = Server(options)
    app = web.Application(client_max_size=1 << 20, middlewares=[cross_origin])
    app.on_startup.append(server.load)
    name = "{name:.+}"
    app.router.add_get("/api/v1/info", server.info)
    app.router.add_get("/api/v1/streams", server.list)
    for kind in ("whip", "whep"):
        app.router.add_route("*", f"/{kind}/session/{{session}}", server.session)
    app.router.add_post(f"/whip/{name}", server.whip)
    app.router.add_post(f"/whep/{name}", server.whep)
    app.router.add_route("*", f"/events/{name}", server.events)
    for path in ("/", "/favicon.ico", "/assets/{file}", f"/play/{name}", f"/publish/{name}"):
        app.router.add_get(path, server.page)
    if options.fmp4:
        app.router.add_get(f"/{name}.mp4", server.fragments)
    return app


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=18099)
    parser.add_argument("--file", action="append", default=[], metavar="NAME=FILE",
                        help="a stream from a media file")
    parser.add_argument("--admin-token", default="", help="ask for it before listing streams")
    parser.add_argument("--publish-key", default="", help="ask for it before publishing")
    parser.add_argument("--fmp4", metavar="FILE", help="give out this file as fragmented MP4")
    parser.add_argument("--warn", action="store_true", help="show a warning about addresses")
    options = parser.parse_args()
    web.run_app(application(options), host="127.0.0.1", port=options.port, print=None)


if __name__ == "__main__":
    main()
