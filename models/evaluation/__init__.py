"""Proof that the models work: public benchmarks and figures."""
