"""What environment variables set: switches, read first, and limits, read later.

Nothing else in the runtime interprets a variable of a cloud. Variables of Tierkreis, of
batch systems and of the clients of clouds belong to the modules that work with those.
"""
