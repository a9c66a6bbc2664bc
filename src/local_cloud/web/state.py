"""What every server keeps while it runs, whatever cloud it embeds."""

from collections.abc import Collection, Sequence
from pathlib import Path

from local_cloud.clock import Clock
from local_cloud.faults.active import ActiveFaults
from local_cloud.notifications import Notifications
from local_cloud.progress.rule import AT_ONCE, Progress
from local_cloud.progress.tracker import ProgressTracker
from local_cloud.server.addresses import LOOPBACK
from local_cloud.server.instance import Instance
from local_cloud.server.options import ServerOptions
from local_cloud.web.page_links import PageLinks
from local_cloud.web.request_log import RequestLog


class ServerState:
    """The clock, the faults and all else that tests set and see on a server.

    :param instance: The identity of the server.
    :param options: With which it was started.
    :param names: The names and addresses by which programs may call it.
    :param private: The files and folders with its secrets and its data, which programs
        that it runs must not read.
    :param progress: How jobs move where no rule says otherwise.
    """

    def __init__(
        self,
        instance: Instance,
        options: ServerOptions,
        names: Collection[str] = (LOOPBACK,),
        private: Sequence[Path] = (),
        *,
        progress: Progress = AT_ONCE,
    ) -> None:
        self.instance = instance
        self.options = options
        self.names = names
        self.private = private
        self.clock = Clock()
        self.faults = ActiveFaults(self.clock)
        self.progress = ProgressTracker(progress)
        self.notifications = Notifications()
        self.request_log = RequestLog()
        self.page_links = PageLinks()

    def reset(self) -> None:
        """Forget all that was set or noted."""
        self.faults.clear()
        self.progress.reset()
        self.clock.reset()
        self.page_links.clear()
        self.request_log.clear()
