"""What a file of weights may not exceed, and the sentences that refuse it."""

from dataclasses import dataclass

from pliant.errors import CheckpointError, UnsafeCheckpointError

MAX_FILE_BYTES = 4 * 2**30
"""The largest file that is opened: published ones have 30 MB to 1 GB, snapshots with optimisers 2 GB."""

MAX_OPCODES = 250_000
"""Pickle opcodes in one file, nested streams included; two 1024-pixel networks take 40 000."""

MAX_MEMBERS = 100_000
"""Members of a zip archive; a snapshot with optimisers has about 1 000."""

MAX_PARTS = 5000
"""Modules, or tensors, in one network; a 1024-pixel generator has fewer than 200 of each."""


@dataclass(slots=True)
class Budget:
    """How many more opcodes may be read; shared by a pickle and the streams inside it."""

    left: int = MAX_OPCODES

    def spend(self) -> None:
        """Count one opcode."""
        self.left -= 1
        if self.left < 0:
            raise CheckpointError(
                f"it holds more than {MAX_OPCODES} pickle opcodes, many times what three networks need: "
                "it is not a StyleGAN2 checkpoint, so look for a file that holds only the networks."
            )


def truncated() -> CheckpointError:
    """The error for data that ends too early."""
    return CheckpointError(
        "it ends in the middle of its data, as an incomplete download does; fetch it again."
    )


def broken(what: str) -> CheckpointError:
    """The error for data that contradicts itself."""
    return CheckpointError(f"it is damaged ({what}); fetch or save the file again.")


def harmful(what: str) -> UnsafeCheckpointError:
    """The error for data that asks for what weights never need."""
    return UnsafeCheckpointError(
        f"{what}, which reading weights never needs: the file is damaged, of another kind, or made to do "
        "harm; nothing in it was run, and no other tool should open it unless you trust its author."
    )
