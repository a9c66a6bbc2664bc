"""Call functions of WebAssembly modules from programs; simulators do not belong."""
