"""The command line, the district simulator, benchmarks and drills."""
