"""A worker that stays warm: tasks run in forks of a process that has imported all.

Importing the client of a cloud takes seconds, a task milliseconds. The executable
therefore asks a preloaded process of the same user and the same environment
(:mod:`.server`) to fork and run the task, and only relays the outcome
(:mod:`.client`). To executors nothing
changes: the arguments, streams, environment and working directory are those of the
executable, and so are the exit code, the signals and the moment of death.

Wherever anything stands in the way, the executable runs the task itself.
"""
