"""One picture: a figure in this product's style, written as SVG or PNG."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ballonet.errors import BallonetError, UsageError
from ballonet.extras import remedy

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def check_picture(path: Path) -> None:
    """Raise `UsageError` where matplotlib is missing, or the path's suffix is none of a picture."""
    try:
        import matplotlib.figure  # noqa: F401, PLC0415 - slow, and seldom wanted
    except ImportError as error:
        raise UsageError("pictures need matplotlib", hint=f"{remedy('plot')}; or leave out --plot") from error
    if path.suffix not in {".svg", ".png"}:
        raise UsageError(f"{path} is the name of no picture", hint="let it end in .svg or .png")


@contextmanager
def picture(path: Path, title: str, inches: tuple[float, float]) -> Iterator["Figure"]:
    """Draw on a figure of this width and height; it is written when the block ends.

    Raises what `check_picture` does.
    """
    check_picture(path)
    from matplotlib import rc_context  # noqa: PLC0415 - slow, and seldom wanted
    from matplotlib.figure import Figure  # noqa: PLC0415

    style = {
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": "0.6",
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "0.92",
        "xtick.color": "0.3",
        "ytick.color": "0.3",
        "font.size": 9.0,
        "savefig.dpi": 150.0,
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": title,  # and the same run gives the same file
    }
    with rc_context(style):  # type: ignore[arg-type, unused-ignore]  # its keys are a Literal, where typed
        figure = Figure(figsize=inches, layout="constrained")
        yield figure
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        try:
            figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
        except OSError as error:
            raise BallonetError(
                f"{path} cannot be written: {error.strerror}", hint="name another file"
            ) from error
