"""A real RTSP server for tests, run by a Python that has Debian's GStreamer: `rtsp_server.py PORT [USER PASSWORD]`.

Serves a moving ball as Motion JPEG at /ball, and at /still the same until SIGUSR1, from when on no frame comes but the
connection stays. Prints `ready` once it listens.
"""

import signal
import sys
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PICTURE = "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=10/1"


def main() -> None:
    """Serve until killed."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    if len(sys.argv) > 2:
        user, password = sys.argv[2:4]
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        server.set_auth(auth)
    valves = []
    for name in ("ball", "still"):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {PICTURE} ! valve name=valve ! jpegenc ! rtpjpegpay name=pay0 pt=26 )")
        factory.set_shared(True)
        if len(sys.argv) > 2:
            factory.add_role_from_structure(
                Gst.Structure.from_string("viewer, media.factory.access=true, media.factory.construct=true")[0]
            )

        def made(_: Any, media: Any, name: str = name) -> None:
            if name == "still":
                valves.append(media.get_element().get_by_name("valve"))

        factory.connect("media-configure", made)
        server.get_mount_points().add_factory(f"/{name}", factory)
    server.attach(None)

    def shut() -> bool:
        for valve in valves:
            valve.set_property("drop", True)
        return True

    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR1, shut)
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
