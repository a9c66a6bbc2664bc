"""An embedded Nexus: a server that speaks the Nexus HTTP API on this machine."""
