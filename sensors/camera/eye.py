"""One camera that is read: its reader in a thread of its own, its ring of pictures, and the health of its picture.

A decoder may hang inside its library, where nothing can end it. So whoever watches the eyes asks each whether it is
`stuck`, leaves a stuck thread to itself and has another begin (`again`); all others go on meanwhile. A camera of which
several hang at once is put aside, longer each time, so that it does not use up what all may have.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from typing import NamedTuple

from sensors.camera.clip import QUALITY, WIDE
from sensors.camera.crashes import Crashes, name_of
from sensors.camera.faces import Faces
from sensors.camera.health import Health, Judgement
from sensors.camera.snapshot import Ring
from sensors.camera.still import PREFIX, Stills
from sensors.camera.stream import Frame, Refuse, Stream, unheeded
from sensors.quarantine import RAW_LIMIT, WHOLE_LIMIT
from sensors.site import Camera

logger = logging.getLogger(__name__)

RATE = 1.0
"""Pictures a second that are judged, shown and kept as stills."""

FAULT = 5.0
"""Seconds of rest after an unforeseen fault of a decoder."""

STUCK = 30.0
"""Seconds after which a decoder that has not come back, beyond its own time-outs, is taken to hang."""

MOST_LEFT = 3
"""Decoders of one camera that may hang at once; then it is put aside until one comes back, or for `AWAY`."""

AWAY = 600.0
"""Seconds for which it is put aside, twice as long for each further decoder that hangs."""

MOST_REFUSALS = 1000
"""Refused pictures kept until somebody takes them."""

MOST_HELD = 1 << 20
"""Bytes of those pictures, beyond which only the first of each are kept."""

MOST_TAKEN = 256
"""Pictures that are remembered as taken for an incident."""

MOST_VEILED = 20
"""Pictures with blurred faces that are kept for whoever asks next."""


class Refusal(NamedTuple):
    """A picture that was refused."""

    time: float  # unix seconds
    reason: str
    detail: str
    raw: bytes  # its first bytes
    size: int  # of the whole


class Eye:
    """One camera: its stream in a thread of its own, its rings of pictures, its health.

    `clips` are the pictures a second of its moving clips, which are small; 0 is none. A camera whose faces are blurred
    has none: of sixty pictures, one in which a face is missed is enough to know it.
    """

    def __init__(self, camera: Camera, source: str, crashes: Crashes | None = None, clips: float = 0.0) -> None:
        self.camera, self.source, self.clips = camera, source, clips
        self.name = name_of(camera.id, source)
        self._crashes = crashes
        self.aside = False  # not read for a while: its decoder has crashed the process, or several hang
        self._away = 0.0  # monotonic, until when one of which several hang is put aside
        self.ring = Ring()
        self.film = Ring(quality=QUALITY, widest=WIDE)  # for clips: smaller pictures, more of them
        self._due = 0.0  # unix seconds, when the ring gets its next picture
        self.frames = 0
        self.last_frame: float | None = None  # unix seconds
        self.last_picture = (0.0, "", 0)  # when, for which incident, at which level
        self._left: list[threading.Thread] = []  # decoders that were left to themselves
        self.taken: deque[tuple[str, float]] = deque(maxlen=MOST_TAKEN)  # incident, unix time of a picture for it
        self.refusals: deque[Refusal] = deque(maxlen=MOST_REFUSALS)
        self.refused: dict[str, int] = {}  # reason → pictures
        self._faces: Faces | None = None
        self._veiled: OrderedDict[float, bytes] = OrderedDict()  # the latest pictures with blurred faces, by time
        self._veiling = threading.Lock()
        self._health = Health(camera.health)
        self._seen = time.monotonic()  # when a frame last came, or when reading began
        self._ready()

    def start(self) -> None:
        """Begin reading, unless the camera is put aside; what was put aside begins once it no longer is."""
        was = self.aside
        if self._put_aside():
            return
        self._reader.moved = time.monotonic()
        if not was:  # one that was put aside stays lost until it gives a frame
            self._seen = self._reader.moved
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stop.set()

    def ended(self, seconds: float) -> bool:
        """Wait for the thread's end, at most `seconds`; tell whether it came. A decoder may hang for longer."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    @property
    def stuck(self) -> bool:
        """Tell whether the decoder hangs: it has not come back within its time-outs and `STUCK` more."""
        late = time.monotonic() - self._reader.moved
        return self._thread.is_alive() and not self._stop.is_set() and late > STUCK + 2 * self.camera.timeout

    @property
    def hung(self) -> int:
        """Count the decoders that were left to themselves and hang still."""
        return sum(thread.is_alive() for thread in self._left)

    def again(self) -> None:
        """Leave a decoder that hangs to itself and begin with another; what the old one still gives is dropped."""
        self._stop.set()
        self._left = [thread for thread in (*self._left, self._thread) if thread.is_alive()]
        if self.hung >= MOST_LEFT:
            self._away = time.monotonic() + AWAY * 2 ** (self.hung - MOST_LEFT)
        self._health = Health(self.camera.health)
        self._ready()
        if not self._put_aside():
            self._thread.start()

    def judgement(self, now: float) -> Judgement | None:
        """Say how the picture is at a unix time: lost when no frame came for long; None before anything is known."""
        if self.aside or time.monotonic() - self._seen > self.camera.health.lost:
            return Judgement(now, "lost", {"loss": 1.0}, False)
        if not self.camera.health.watch:
            return Judgement(now, "unjudged", {}, False) if self.frames else None
        return self._health.now if self.frames else None

    def shown(self, at: float, picture: bytes) -> bytes:
        """Return a picture of the ring as it may be stored or shown: with blurred faces where the site asks.

        Takes a fifth of a second of CPU then: call it in a thread. Raise RuntimeError where faces cannot be blurred.
        """
        if not self.camera.blur_faces:
            return picture
        with self._veiling:
            known = self._veiled.get(at)
            if known is None:
                self._faces = self._faces or Faces()
                known = self._veiled[at] = self._faces.veiled(picture)
                if len(self._veiled) > MOST_VEILED:
                    self._veiled.popitem(last=False)
            return known

    def _put_aside(self) -> bool:
        """Tell whether the camera is not to be read now; say so once."""
        crashed = self._crashes is not None and self._crashes.aside(self.name)
        hangs = self.hung >= MOST_LEFT and time.monotonic() < self._away
        if crashed and not self.aside:
            self._refused("decoder_crash", "its decoder has crashed the process again; it is tried again later", b"")
        elif hangs and not self.aside:
            self._refused("decoder_hang", f"{self.hung} of its decoders hang; it is tried again later", b"")
        self.aside = crashed or hangs
        return self.aside

    def _ready(self) -> None:
        self._stop = stop = threading.Event()

        def refuse(reason: str, detail: str, raw: bytes) -> None:
            if not stop.is_set():
                self._refused(reason, detail, raw)

        self._reader = reader_of(self.source, self.camera.timeout, refuse, max(RATE, self.clips))
        self._thread = threading.Thread(target=self._run, args=(self._reader, stop), name=self.camera.id, daemon=True)

    def _refused(self, reason: str, detail: str, raw: bytes) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1
        held = sum(len(one.raw) for one in tuple(self.refusals)) + len(raw)
        kept = raw if held <= MOST_HELD and len(raw) <= WHOLE_LIMIT else raw[:RAW_LIMIT]
        if self.camera.blur_faces:
            kept = b""  # what cannot be decoded may still show somebody
        self.refusals.append(Refusal(time.time(), reason, detail, kept, len(raw)))

    def _run(self, reader: Stream | Stills, stop: threading.Event) -> None:
        def take(at: float, frame: Frame) -> None:
            if not stop.is_set():
                self._take(frame)

        if self._crashes is not None:
            self._crashes.begun(self.name)
        while not stop.is_set():
            try:
                reader.run(take, stop, self._trouble)
            except Exception:  # a decoder's unforeseen fault must not blind this camera for good
                logger.exception("camera %s broke", self.camera.id)
                reader.moved = time.monotonic() + FAULT
                stop.wait(FAULT)

    def _trouble(self, sentence: str) -> None:
        logger.warning("camera %s: %s", self.camera.id, sentence)

    def _take(self, frame: Frame) -> None:
        now = time.time()
        if self.clips and not self.camera.blur_faces:
            self.film.add(now, frame)
        if now < self._due <= now + 1.0 / RATE:  # beyond that the clock was set back
            return
        self._due = max(self._due + 1.0 / RATE, now + 0.5 / RATE)
        self.frames += 1
        self.last_frame = now
        self.ring.add(now, frame)
        if self.camera.health.watch:
            self._health.feed(now, frame)
        self._seen = time.monotonic()


def reader_of(source: str, timeout: float, refuse: Refuse = unheeded, rate: float = RATE) -> Stream | Stills:
    """Choose how a source is read: a still a second where it says so (`still+http://…`), else a stream or file."""
    if source.startswith(PREFIX):
        return Stills(source, RATE, timeout=timeout, refuse=refuse)
    return Stream(source, rate, timeout=timeout, refuse=refuse)


def source_of(camera: Camera) -> str | None:
    """Say where a camera is read: its stream, else its stills."""
    return camera.stream or (PREFIX + camera.snapshot if camera.snapshot else None)
