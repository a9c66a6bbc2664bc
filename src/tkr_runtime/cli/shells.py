"""How shells complete commands: as click does it, with its errors mended."""

from typing import ClassVar

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

# Bash divides words at these signs, takes the signs for words of their own, and
# replaces only what follows the last of them ($COMP_WORDBREAKS); the last @ as well.
_BREAKS = ":=@"


class _Bash(BashComplete):
    def get_completions(
        self, args: list[str], incomplete: str
    ) -> list[CompletionItem[str]]:
        *before, word = _joined([*args, incomplete])
        items = super().get_completions(before, word)
        option, equals, value = word.partition("=")
        # click returns the value of an option alone.
        typed = value if equals and option.startswith("-") else word
        kept = typed.removesuffix("" if _is_break(incomplete) else incomplete)
        for item in items:
            item.value = item.value.removeprefix(kept.removesuffix("@"))
        return items


def _joined(parts: list[str]) -> list[str]:
    """Join the parts into which Bash divided words; the last may be empty."""
    words: list[str] = []
    goes_on = False
    for part in parts:
        if words and part and (goes_on or _is_break(part)):
            words[-1] += part
        else:
            words.append(part)
        goes_on = _is_break(part)
    return words


def _is_break(part: str) -> bool:
    return bool(part) and not part.strip(_BREAKS)


class _WholeWords(ShellComplete):
    """A shell that replaces the whole word, for which click returns the value alone."""

    def get_completions(
        self, args: list[str], incomplete: str
    ) -> list[CompletionItem[str]]:
        items = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if equals and option.startswith("-"):
            for item in items:
                item.value = f"{option}={item.value}"
        return items


class _Zsh(_WholeWords, ZshComplete):
    pass


class _Fish(_WholeWords, FishComplete):
    # Descriptions have commas, too.
    source_template: ClassVar[str] = FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )


def mend_shells() -> None:
    """Let click use these shells in place of its own."""
    for shell in (_Bash, _Zsh, _Fish):
        add_completion_class(shell)
