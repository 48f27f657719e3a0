"""The archive: every observation and what came of it, for good, apart from the log, which forgets as it ages.

One chain of segments a partition: each holds a stretch of observations and the outcomes they led to, names the hash of
the one before it, and is written once. So whoever changes, removes or repeats one breaks the chain.
"""
