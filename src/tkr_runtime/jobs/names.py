"""Names of jobs, projects and programs."""

from tkr_runtime.errors import InvalidInputError


def check_name(kind: str, name: object) -> None:
    """Check the name of a project, job or program.

    :param kind: What the name belongs to, as the input ``…_name`` of tasks calls it.
    :param name: The name.
    :raises InvalidInputError: If the name is empty, not a string or not Unicode.
    """
    if not isinstance(name, str) or not name.strip():
        raise InvalidInputError(f"{kind}_name is {name!r}; give a non-empty string.")
    check_unicode(f"{kind}_name", name)


def check_unicode(what: str, text: str) -> None:
    """Refuse what a command line makes of bytes that are no text.

    :param what: The input.
    :param text: Its value.
    :raises InvalidInputError: If it has no form in UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"{what} is {text!r}, which is not valid Unicode; give another name."
        ) from error
