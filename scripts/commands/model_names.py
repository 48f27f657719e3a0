"""What kinds of models and of faults are called; in English by the names that JSON has."""

from __future__ import annotations

from models.shape import WORDS as SHAPES
from scripts.commands.words import Language

MODELS = {"mahalanobis": "马氏距离", "pca": "主成分", "forest": "孤立森林"}
FAULTS = {
    **{name: words["zh"] for name, words in SHAPES.items()},
    "dropout": "数据中断",
}
PICTURES = {
    "black": "黑屏",
    "freeze": "画面冻结",
    "blur": "画面模糊",
    "cover": "镜头遮挡",
    "shift": "画面移位",
    "overexposed": "过曝",
    "clean": "原样",
    "dimmed": "变暗",
    "daylight": "日光变化",
    "infrared": "红外",
    "rain": "降雨",
    "noise": "噪点",
    "weak": "弱",
    "middle": "中",
    "strong": "强",
}
"""What is put on a camera's picture, fault or not, and how strongly."""


def called(name: str, language: Language, names: dict[str, str] = FAULTS) -> str:
    """Name one of `names` in a language; one that is not known there as it is."""
    return name if language == "en" else names.get(name, name)
