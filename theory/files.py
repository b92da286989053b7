"""Files are written whole or not at all: to a temporary name beside the target, then renamed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from theory.errors import BadInput

__all__ = ["check_writable", "whole_file", "write_whole"]


def check_writable(path: str | Path) -> Path:
    """Return the path if a file can be written there, before any work is done.

    Raises:
        BadInput: If the folder is missing or not writable, or the path is a folder or a device.
    """
    target = Path(path)
    folder = target.parent
    if target.is_dir():
        raise BadInput(f"cannot write {target}: it is a folder; name a file")
    if target.exists() and not target.is_file():
        raise BadInput(f"cannot write {target}: it is a device, and a rename would replace it; name a file")
    if not folder.is_dir():
        raise BadInput(f"cannot write {target}: the folder {folder} does not exist; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadInput(f"cannot write {target}: the folder {folder} is not writable")
    return target


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; rename it to ``path`` on success, remove it otherwise.

    Raises:
        BadInput: If the file cannot be written.
    """
    target = check_writable(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise BadInput(f"cannot write {target}: {error.strerror}") from None
    temporary = Path(name)
    try:
        try:
            yield temporary
        except OSError as error:
            raise BadInput(f"cannot write {target}: {error.strerror or error}") from None
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)  # mkstemp makes 0600; a written file gets the user's usual mode
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: str | Path, content: bytes | str) -> None:
    """Write bytes or text to ``path``, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
