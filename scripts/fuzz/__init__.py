"""What `scripts.fuzz_dialects` is made of: a mutator, and slow plain decoders to compare with."""
