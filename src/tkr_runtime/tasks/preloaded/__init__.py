"""Tasks that run in forks of a process that has imported the worker.

Importing the client of a cloud takes seconds, a task milliseconds. The executable
therefore asks a preloaded process of the same user, environment and rights
(:mod:`.server`) to fork and run the task, and only passes on its outcome
(:mod:`.client`). Executors see no difference: the task has the arguments, streams,
environment and working directory of the executable, and the executable has the exit
code or signal of the task and ends when it does.

If anything prevents that, or is in doubt, the executable runs the task itself.
"""
