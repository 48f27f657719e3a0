"""Cameras through OpenCV, in a process of their own. What OpenCV goes by is set here, before anything loads it."""

import os

# a stream that hangs must let go: microseconds until FFmpeg gives up
os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp|stimeout;5000000|timeout;5000000")
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # FFmpeg's own lines may hold the address with its password
