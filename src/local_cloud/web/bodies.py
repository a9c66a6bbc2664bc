"""How bodies of requests are received: with limits, and in little memory."""

import errno
import tempfile

from starlette.requests import Request

from local_cloud.errors import ApiError, StorageFullError

# The largest body taken, in bytes: a circuit of 100,000 gates has about 10 MB.
MAX_BODY = 64 * 2**20
# The largest from those who are not logged in.
MAX_PUBLIC_BODY = 64 * 2**10
# Bodies above this, in bytes, wait for their rest in a file.
LARGE = 64 * 2**10


def limit_of(access: str) -> int:
    """Return how many bytes the body of a request may have."""
    return MAX_PUBLIC_BODY if access == "public" else MAX_BODY


async def receive(request: Request, most: int) -> bytes:
    """Return the body of a request.

    :param most: Bytes that it may have.
    :raises ApiError: 413 if it has more, as early as that is known; 507 if there is no
        room for it.
    """
    _check_size(int(request.headers.get("content-length", 0)), most)
    try:
        return await _collect(request, most)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise StorageFullError from error
        raise


async def _collect(request: Request, most: int) -> bytes:
    size = 0
    with tempfile.SpooledTemporaryFile(max_size=LARGE) as file:
        async for part in request.stream():
            size += len(part)
            _check_size(size, most)
            file.write(part)
        file.seek(0)
        return file.read()


def is_large(request: Request) -> bool:
    """Return whether the body of a request is large, or of unknown size."""
    if "transfer-encoding" in request.headers:
        return True
    return int(request.headers.get("content-length", 0)) > LARGE


def check_type(request: Request) -> None:
    """Refuse a body that says it is something else than JSON.

    Forms and plain text are what a browser sends for pages of others without asking.

    :raises ApiError: 415.
    """
    given = request.headers.get("content-type", "")
    media_type = given.partition(";")[0].strip().lower()
    if media_type and not (
        media_type == "application/json" or media_type.endswith("+json")
    ):
        raise ApiError(
            415, f"The body has the type {media_type!r}: send application/json."
        )


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise ApiError(413, f"The body is larger than {most} bytes.")
