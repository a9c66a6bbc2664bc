"""How fast jobs may move through their stages; not what a cloud calls its states."""
