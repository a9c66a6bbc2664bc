"""What compile jobs made; the compiler itself is one of the simulators."""
