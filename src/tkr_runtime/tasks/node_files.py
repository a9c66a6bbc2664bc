"""The names of files in the folder of a node.

A preloaded process may run in an environment without the dependencies of this package:
this module needs the standard library alone.
"""

DONE = "_done"
"""The file of a node that has finished, as Tierkreis names it."""

MESSAGE = "_message"
"""The file of a node with the sentence of its failed task."""
