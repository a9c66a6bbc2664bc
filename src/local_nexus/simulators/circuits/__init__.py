"""Read, check, evaluate and compile circuits; simulators do not belong here."""
