import pytest
from aiokafka.partitioner import murmur2 as kafka_murmur2
from hypothesis import given
from hypothesis import strategies as st

from sensors.partition import murmur2, partition_of


@given(st.binary(max_size=40))
def test_the_hash_is_kafkas(key: bytes) -> None:
    assert murmur2(key) == kafka_murmur2(bytearray(key)) & 0xFFFFFFFF


@pytest.mark.parametrize("partitions", [1, 2, 7])
def test_a_group_has_one_partition_in_range(partitions: int) -> None:
    assert 0 <= partition_of("燕罗", partitions) < partitions
