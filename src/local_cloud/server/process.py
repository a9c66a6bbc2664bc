"""The process of a server: binds the port, serves, and cleans up after itself."""

import contextlib
import errno
import functools
import logging
import os
import select
import signal
import socket
import sys
import threading
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import uvicorn

from local_cloud.admin import scenario
from local_cloud.cloud import Cloud
from local_cloud.errors import StartError
from local_cloud.files import make_private
from local_cloud.server import certificates, environment, server_lock
from local_cloud.server.addresses import LOOPBACK, address_of, names_of, url_of
from local_cloud.server.connections import HttpProtocol, WebSocketProtocol
from local_cloud.server.instance import Instance
from local_cloud.server.options import ServerOptions
from local_cloud.store import files_of
from local_cloud.web.app import create_app
from local_cloud.web.state import ServerState

_LOGGER = logging.getLogger(__name__)

# Seconds that open requests get when the server stops.
_GRACE = 1
# Bytes that are decrypted at once.
_TLS_BUFFER = 32 * 2**10
# Bytes of a message that a client may send over a websocket.
_WEBSOCKET_LIMIT = 64 * 2**10


class _Server(uvicorn.Server):
    """A server that ends cleanly at SIGINT and SIGTERM.

    :param ready: Called when it answers.
    :param release: Called when it stops, to end what is held back.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[], None],
        release: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._release = release

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Uvicorn would raise the signal again after the shutdown.
        def stop(_signal: int, _frame: FrameType | None) -> None:
            self.should_exit = True

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._release()
        await super().shutdown(sockets)


def bind(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens.

    :param host: A name or an IPv4 address.
    :param port: A free one is chosen if None.
    :raises StartError: If that is not possible.
    """
    try:
        address = address_of(host)
    except OSError as error:
        raise StartError(
            f"Cannot listen on host {host}: {error.strerror}. Take a name or an IPv4 "
            f"address of this machine, such as {LOOPBACK}."
        ) from error
    # Only for a socket that names TCP does asyncio switch off Nagle's algorithm, which
    # would delay every answer by 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port or 0))
    except OSError as error:
        listener.close()
        raise _cannot_bind(address, port, error) from error
    listener.listen(2048)
    return listener


def _cannot_bind(address: str, port: int | None, error: OSError) -> StartError:
    if error.errno == errno.EADDRNOTAVAIL:
        return StartError(
            f"Cannot listen on {address}: this machine does not have that address."
        )
    return StartError(
        f"Cannot listen on port {port}: {error.strerror}. "
        "Choose another one, or none for a free one."
    )


def serve(
    cloud: Cloud,
    listener: socket.socket,
    directory: Path,
    options: ServerOptions,
    *,
    ready: Callable[[str], None],
    with_parent: bool = False,
) -> None:
    """Serve until a signal comes or, if asked for, the parent process is gone.

    :param cloud: That the server embeds.
    :param listener: The socket to serve on.
    :param directory: Of the server.
    :param options: Of the server.
    :param ready: Called with the URL when the server answers.
    :param with_parent: End when the pipe on standard input closes.
    :raises StartError: If something that the server needs is wrong.
    """
    address, port = listener.getsockname()
    url = url_of(address, port)
    environment.forget_others()
    # Each connection has a buffer of this size, for asyncio 256 KiB.
    SSLProtocol.max_size = _TLS_BUFFER
    # Whatever the server writes, the database included, is its owner's alone.
    os.umask(0o077)
    _mend(cloud, directory)
    with server_lock.hold(directory, url):
        certificate = certificates.ensure(directory, address)
        instance = Instance.load(cloud, directory, options.database)
        private = [directory, *files_of(instance.database)]
        state = ServerState(
            instance, options, names_of(address), private, progress=cloud.progress
        )
        application = cloud.application(state)
        if options.faults is not None:
            scenario.load(options.faults, state)
        cloud.write_login(directory, url, application.hooks.issue_tokens())
        config = uvicorn.Config(
            create_app(cloud, application, state),
            ssl_keyfile=certificate,
            ssl_certfile=certificate,
            log_config=None,
            access_log=False,
            server_header=False,
            # There is no proxy: nobody may say that a request came from elsewhere.
            proxy_headers=False,
            # Whatever else is installed: connections are dropped by its transports.
            loop="asyncio",
            http=HttpProtocol,
            ws=WebSocketProtocol,
            # Clients only listen on them.
            ws_max_size=_WEBSOCKET_LIMIT,
            timeout_graceful_shutdown=_GRACE,
        )
        server = _Server(config, functools.partial(ready, url), state.faults.clear)
        if with_parent:
            _stop_with_parent(server)
        server.run(sockets=[listener])


def _mend(cloud: Cloud, directory: Path) -> None:
    """Let nobody else read what an older server left in its directory."""
    kept = ["instance.json", "running.json", "server.log", "server-*.pem"]
    for pattern in [*kept, "ca-bundle.pem", f"{cloud.database}*", "tokens*"]:
        for path in directory.glob(pattern):
            inside = path.iterdir() if path.is_dir() else []
            for file in [path, *inside]:
                try:
                    make_private(file)
                except PermissionError:
                    _LOGGER.warning(
                        "Others may read %s, which belongs to another user.", file
                    )


def _stop_with_parent(server: uvicorn.Server) -> None:
    def stop() -> None:
        server.should_exit = True

    threading.Thread(target=_await_orphanhood, args=(stop,), daemon=True).start()


def _await_orphanhood(stop: Callable[[], None]) -> None:
    """Call ``stop`` once the parent process is gone, however it went."""
    parent = os.getppid()
    while os.getppid() == parent:
        # A pipe inherited by others outlives the parent, its id does not.
        readable, _, _ = select.select([sys.stdin], [], [], 0.5)
        if readable and not os.read(sys.stdin.fileno(), 4096):
            break
    stop()
