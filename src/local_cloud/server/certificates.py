"""The certificate of a server and the throw-away authority that signed it."""

import os
import ssl
from pathlib import Path

from local_cloud.files import write_private
from local_cloud.server.addresses import names_of


def ensure(directory: Path, address: str) -> Path:
    """Make a certificate unless the directory has one for this address.

    :param directory: Of the instance.
    :param address: The IPv4 address that the server listens on.
    :returns: The file with the key and the certificate of the server.
    """
    server = directory / f"server-{address}.pem"
    authority_file = directory / f"authority-{address}.pem"
    if not (server.exists() and authority_file.exists()):
        import trustme  # only the first start in a directory needs it

        authority = trustme.CA()
        certificate = authority.issue_cert(*names_of(address))
        authority_file.write_bytes(authority.cert_pem.bytes())
        # It holds no secret: users of other accounts need it to trust the server.
        authority_file.chmod(0o644)
        write_private(
            server, certificate.private_key_and_cert_chain_pem.bytes().decode()
        )
    authority_text = authority_file.read_text()
    write_private(authority_path(directory), authority_text)
    _write_bundle(directory, authority_text)
    return server


def authority_path(directory: Path) -> Path:
    """Return the file with the authority of the server, for clients that trust one."""
    return directory / "authority.pem"


def bundle_path(directory: Path) -> Path:
    """Return the file with all authorities that a client should trust."""
    return directory / "ca-bundle.pem"


def _write_bundle(directory: Path, authority: str) -> None:
    trusted = _trusted_before(bundle_path(directory))
    write_private(bundle_path(directory), f"{trusted.rstrip()}\n{authority}")


def _trusted_before(bundle: Path) -> str:
    """Return the authorities that this process trusts without the server's own."""
    named = os.environ.get("SSL_CERT_FILE")
    candidates = [Path(named)] if named and Path(named) != bundle else []
    try:
        import certifi

        candidates.append(Path(certifi.where()))
    except ImportError:
        default = ssl.get_default_verify_paths().cafile
        candidates += [Path(default)] if default else []
    found = next((path for path in candidates if path.is_file()), None)
    return "" if found is None else found.read_text(encoding="utf-8")
