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


class _Bash(BashComplete):
    def get_completions(
        self, args: list[str], incomplete: str
    ) -> list[CompletionItem[str]]:
        # It takes an option, the sign = and the value for three words.
        return super().get_completions(
            args[:-1] if args[-1:] == ["="] else args, incomplete
        )


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
