"""Which partition a group of areas belongs to: Kafka's default partitioner, so that other producers agree."""

from __future__ import annotations


def murmur2(key: bytes) -> int:
    """Hash bytes as Kafka's Java client does (32 bit, unsigned). Source: org.apache.kafka.common.utils.Utils."""
    length = len(key)
    m = 0x5BD1E995
    h = (0x9747B28C ^ length) & 0xFFFFFFFF
    whole = length - length % 4
    for i in range(0, whole, 4):
        k = int.from_bytes(key[i : i + 4], "little") * m & 0xFFFFFFFF
        k = (k ^ (k >> 24)) * m & 0xFFFFFFFF
        h = (h * m & 0xFFFFFFFF) ^ k
    if whole < length:
        h = (h ^ int.from_bytes(key[whole:], "little")) * m & 0xFFFFFFFF
    h = (h ^ (h >> 13)) * m & 0xFFFFFFFF
    return h ^ (h >> 15)


def partition_of(group: str, partitions: int) -> int:
    """Name the partition of a group's name among `partitions`."""
    return (murmur2(group.encode()) & 0x7FFFFFFF) % partitions
