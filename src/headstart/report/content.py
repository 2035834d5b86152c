"""What a full report shows beyond what the manifest holds; data only."""

from dataclasses import dataclass, field

from headstart.evaluation.learning import LearningCurve
from headstart.evaluation.suspects import Suspect


@dataclass(frozen=True)
class Thumb:
    """A small photo.

    Attributes:
        file: its name.
        address: `data:` address of its pixels.
        note: a line below it.
    """

    file: str
    address: str
    note: str = ""


@dataclass(frozen=True)
class Group:
    """Photos that belong together: of a class, or behind a cell of the confusion matrix.

    Attributes:
        true: their class.
        predicted: what they were taken for.
        count: how many there are.
        thumbs: some of them.
    """

    true: str
    predicted: str
    count: int
    thumbs: tuple[Thumb, ...]


@dataclass(frozen=True)
class Explained:
    """A photo beside what the classifier looked at.

    Attributes:
        file: its name.
        true: its class.
        predicted: what it was taken for.
        probability: of that.
        photo: `data:` address.
        heat: `data:` address of the photo under its heat map.
    """

    file: str
    true: str
    predicted: str
    probability: float
    photo: str
    heat: str


@dataclass(frozen=True)
class Content:
    """Whatever could be gathered; empty is what was not.

    Attributes:
        figure: SVG by this package, below the headline.
        drawing: SVG by this package: the network, its frozen part marked.
        frozen: a sentence on what of it is frozen.
        classes: some training photos of each class.
        cells: photos behind the cells of the confusion matrix.
        worst: the mistakes made with most confidence.
        sample: of all test photos, drawn by chance.
        method: how the heat maps were made.
        suspects: with their thumbnails by file in `thumbs`.
        suspect_count: how many there are in all.
        thumbs: `data:` addresses by file.
        curve: accuracy against the number of photos.
        recipe: text of `recipe.toml`.
        notes: what is missing, and why.
        is_full: whether photos were looked for; else the page says how to get them.
    """

    figure: str | None = None
    drawing: str | None = None
    frozen: str = ""
    classes: tuple[Group, ...] = ()
    cells: tuple[Group, ...] = ()
    worst: tuple[Explained, ...] = ()
    sample: tuple[Explained, ...] = ()
    method: str = ""
    suspects: tuple[Suspect, ...] = ()
    suspect_count: int = 0
    thumbs: dict[str, str] = field(default_factory=dict)
    curve: LearningCurve | None = None
    recipe: str = ""
    notes: tuple[str, ...] = ()
    is_full: bool = False
