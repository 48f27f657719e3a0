"""Cameras through OpenCV, in a process of their own."""
