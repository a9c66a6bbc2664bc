"""The random numbers that a circuit asks its machine for.

The generator is PCG-XSH-RR with 64 bits of state and 32 bits of output, of O'Neill,
"PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random
Number Generation" (2014). A seed and a stream index decide over all numbers, as
Quantinuum documents it; which numbers a real machine gives for them is not public.
"""

from dataclasses import dataclass, field

MULTIPLIER = 6364136223846793005
STATES = 2**64
NUMBERS = 2**32


@dataclass
class RandomNumbers:
    """A generator of one shot.

    :param seed: 64 bits.
    :param index: The number of the stream, 32 bits.
    :param bound: The largest number that it gives, 32 bits.
    """

    seed: int
    index: int = 0
    bound: int = NUMBERS - 1
    _state: int = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self, *, seed: int | None = None, index: int | None = None) -> None:
        """Begin with the first number of a stream."""
        self.seed = self.seed if seed is None else seed
        self.index = self.index if index is None else index
        self._state = 0
        self._step()
        self._state = (self._state + self.seed) % STATES
        self._step()

    def draw(self) -> int:
        """Return the next number, from 0 to the bound, all equally likely."""
        choices = self.bound + 1
        # The lowest numbers of the generator would come once too often.
        too_many = NUMBERS % choices
        while (number := self._number()) < too_many:
            pass
        return number % choices

    def _number(self) -> int:
        old = self._state
        self._step()
        shifted = ((old >> 18 ^ old) >> 27) % NUMBERS
        turn = old >> 59
        return (shifted >> turn | shifted << (-turn % 32)) % NUMBERS

    def _step(self) -> None:
        stream = self.index << 1 | 1
        self._state = (self._state * MULTIPLIER + stream) % STATES
