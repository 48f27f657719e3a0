"""Words for what is measured, in Chinese and English, and how units are written by people in a hurry."""

from __future__ import annotations

import re
from itertools import pairwise

QUANTITIES: dict[str, tuple[str, ...]] = {
    "methane": ("methane", "ch4", "甲烷", "燃气浓度"),
    "combustible": ("combustible", "lel", "可燃气", "可燃气体"),
    "toxic": ("toxic", "有毒气体"),
    "co": ("co", "carbonmonoxide", "一氧化碳"),
    "h2s": ("h2s", "硫化氢"),
    "o2": ("o2", "oxygen", "氧气", "含氧量"),
    "dust": ("dust", "粉尘"),
    "pm10": ("pm10", "扬尘"),
    "pressure": ("pressure", "press", "压力"),
    "flow": ("flow", "flowrate", "discharge", "流量"),
    "turbidity": ("turbidity", "ntu", "浊度"),
    "chlorine": ("chlorine", "余氯"),
    "level": ("level", "waterlevel", "stage", "depth", "液位", "水位", "水深", "潮位"),
    "rain": ("rain", "rainfall", "precipitation", "pluvio", "雨量", "降雨", "降水"),
    "pump": ("pump", "水泵"),
    "cover": ("manhole", "井盖"),
    "displacement": ("displacement", "disp", "gnss", "位移"),
    "tilt": ("tilt", "incline", "inclination", "inclinometer", "倾斜", "倾角"),
    "crack": ("crack", "fissure", "裂缝"),
    "soil": ("soil", "soilmoisture", "moisture", "含水率", "土壤"),
    "settlement": ("settlement", "subsidence", "沉降"),
    "pore": ("pore", "porepressure", "piezometer", "孔隙水压", "渗压"),
    "seepage": ("seepage", "渗流"),
    "strain": ("strain", "应变"),
    "acceleration": ("acceleration", "accel", "acc", "加速度"),
    "axle": ("axle", "轴重"),
    "moment": ("moment", "力矩"),
    "smoke": ("smoke", "烟雾", "烟感"),
    "temperature": ("temperature", "temp", "温度", "气温", "水温"),
    "hydrant": ("hydrant", "消火栓", "消防栓"),
    "residual": ("residual", "leakage", "剩余电流", "漏电"),
    "charging": ("charging", "充电"),
    "people": ("people", "persons", "headcount", "人数"),
    "density": ("density", "密度"),
    "speed": ("speed", "velocity", "速度", "流速"),
    "vibration": ("vibration", "vib", "振动"),
    "door": ("door", "门故障"),
    "trapped": ("trapped", "困人"),
    "wind": ("wind", "windspeed", "风速"),
    "wave": ("wave", "waveheight", "浪高", "波高"),
    "humidity": ("humidity", "hum", "rh", "湿度"),
}
"""A quantity as the example district names it → words by which topics mean it. A site's own names count too."""

FURTHER: dict[str, tuple[str, tuple[str, ...]]] = {
    "co2": ("ppm", ("co2", "carbondioxide", "二氧化碳")),
    "pm25": ("µg/m^3", ("pm25", "pm2")),
    "voltage": ("V", ("voltage", "volt", "volts", "电压")),
    "current": ("A", ("current", "amps", "ampere", "电流")),
    "power": ("kW", ("power", "watt", "watts", "功率")),
    "energy": ("kWh", ("energy", "kwh", "用电量", "电能")),
    "battery": ("%", ("battery", "batt", "batterylevel", "batteryvoltage", "电量", "电池")),
    "signal": ("", ("signal", "rssi", "snr", "lqi", "signallevel", "信号")),
    "wind_direction": ("°", ("winddir", "winddirection", "wdir", "风向")),
    "dew_point": ("°C", ("dewpoint", "露点")),
    "noise": ("dBA", ("noise", "噪声", "噪音")),
    "acidity": ("pH", ("ph", "酸碱度")),
    "air_pressure": ("hPa", ("baro", "barometer", "airpressure", "气压")),
    "deflection": ("mm", ("deflection", "挠度")),
    "setting": ("", ("setpoint", "setting", "threshold", "alarmlevel", "loglevel", "设定", "阈值", "报警级别")),
}
"""What sources send that the district has no quantity for → its usual unit, and words: so that a topic which means one
of them is not taken for another (CO2 for CO, the level of a battery for that of a river). A site may well have it."""

ON_OFF = frozenset(("on", "off", "open", "closed", "opened", "close", "yes", "no", "alarm", "normal", "ok"))
"""How states are written in words, beside the Chinese `开关是否有无`."""

_FORMULAS = frozenset(("co2", "no2", "so2", "o2", "o3", "h2", "ch4", "nh3", "cl2", "pm1", "pm2", "pm10", "pm25"))
"""Words whose last digit is no number of a device."""

UNITS: dict[str, str] = {
    "℃": "°C",
    "c": "°C",
    "degc": "°C",
    "celsius": "°C",
    "摄氏度": "°C",
    "f": "degF",
    "℉": "degF",
    "degf": "degF",
    "deg": "°",
    "degree": "°",
    "degrees": "°",
    "度": "°",
    "米": "m",
    "厘米": "cm",
    "毫米": "mm",
    "千帕": "kPa",
    "兆帕": "MPa",
    "mmh": "mm/h",
    "mm/hr": "mm/h",
    "m3/h": "m^3/h",
    "m³/h": "m^3/h",
    "m3/s": "m^3/s",
    "m³/s": "m^3/s",
    "l/s": "L/s",
    "ug/m3": "µg/m^3",
    "μg/m3": "µg/m^3",
    "µg/m3": "µg/m^3",
    "mg/m3": "mg/m^3",
    "mg/l": "mg/L",
    "m/s2": "m/s^2",
    "m/s²": "m/s^2",
    "kpa": "kPa",
    "mpa": "MPa",
    "pa": "Pa",
    "hpa": "hPa",
    "ma": "mA",
    "a": "A",
    "ntu": "NTU",
    "rh": "%RH",
    "%rh": "%RH",
    "%lel": "%LEL",
    "lel": "%LEL",
    "人": "persons",
    "v": "V",
    "伏": "V",
    "安": "A",
    "ue": "µε",
    "με": "µε",
    "microstrain": "µε",
    "kmh": "km/h",
    "km/hr": "km/h",
    "mps": "m/s",
    "ugm3": "µg/m^3",
    "mgm3": "mg/m^3",
    "m3h": "m^3/h",
    "m3s": "m^3/s",
    "lps": "L/s",
    "pct": "%",
    "percent": "%",
}
"""A unit as it is found written, in small letters → as a site writes it."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SPLIT = re.compile(r"[^a-z0-9\u4e00-\u9fff℃°%]+")
_CHINESE = re.compile(r"[\u4e00-\u9fff]+")


def tokens(text: str) -> list[str]:
    """Cut a topic or a path into words in small letters; two that follow each other also as one."""
    parts = [one for one in _SPLIT.split(_CAMEL.sub(" ", text[:1200]).lower()) if one]
    bare = [one if one in _FORMULAS else one.rstrip("0123456789") or one for one in parts]
    return list(dict.fromkeys([*parts, *bare, *("".join(pair) for pair in pairwise(parts))]))


def chinese(text: str) -> list[str]:
    """Give the runs of Chinese characters of a text."""
    return _CHINESE.findall(text)
