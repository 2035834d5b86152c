"""What a stage is fed with: what was kept at its cut, or photos where nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.backbones.cut import FEATURES, IMAGE, Cut
from headstart.data.augment import Augmentation, View, mix_batch, parse_augmentation
from headstart.data.batches import photo_batches
from headstart.data.store import CachePlace
from headstart.features.frozen_pass import FrozenPass
from headstart.features.networks import Prefix
from headstart.training.plan import Stage
from headstart.workflow.setup import Setup
from headstart.workflow.tools import Tools

if TYPE_CHECKING:
    from headstart.training.examples import Examples, FreshPhotos, Mix

READ_AT_ONCE = 8


@dataclass(frozen=True)
class StageInputs:
    """Where a stage's inputs come from.

    Attributes:
        cut: where the network is cut in fact.
        prefix: the pass below the cut; None where photos themselves go in.
        augmentation: how training photos are varied.
        views: of each photo that are kept, where they are varied and kept.
        place: where photos and rows are kept.
    """

    cut: Cut
    prefix: FrozenPass | None
    augmentation: Augmentation
    views: int
    place: CachePlace

    @staticmethod
    def of(setup: Setup, cut: Cut, stage: Stage, features: FrozenPass, given: Tools) -> StageInputs:
        """Chooses between keeping and computing anew.

        Photos that are varied anew in every epoch cannot be kept, nor what is larger than the
        cache may be.
        """
        augmentation = parse_augmentation(stage.augment)
        count = len(setup.split.train) * stage.views + len(setup.split.validation)
        needed = 2 * cut.value_count * count
        if not cut.is_whole and needed > given.place.budget_bytes:
            given.progress.say(
                f"What crosses the cut would take {needed / 1e9:.0f} GB, more than the cache may "
                f"({given.place.budget_bytes / 1e9:.0f} GB): the whole network is evaluated in "
                "every step instead. HEADSTART_CACHE_BYTES raises the limit."
            )
        is_kept = needed <= given.place.budget_bytes and (augmentation.is_none or stage.views > 1)
        if cut.is_whole or not is_kept:
            size = setup.spec.image_size
            whole = Cut((IMAGE,), ((size, size, 3),), cut.trainable)
            return StageInputs(whole, None, augmentation, 1, given.place)
        if cut.crossing == (FEATURES,):
            return StageInputs(cut, features, augmentation, stage.views, given.place)
        prefix = FrozenPass(
            Prefix(setup.spec, cut, given.caller),
            engine=given.engine,
            may_fall_back=setup.recipe.engine == "auto",
            precision=setup.recipe.precision,
            place=given.place,
            progress=given.progress,
            row_dtype=np.float16,
        )
        return StageInputs(cut, prefix, augmentation, stage.views, given.place)

    @property
    def features(self) -> FrozenPass | None:
        """The pass that made features and kept those of photos as they are; None without such."""
        is_features = self.cut.crossing == (FEATURES,) and self.augmentation.is_none
        return self.prefix if is_features else None

    @property
    def precision(self) -> str:
        """Of the frozen pass."""
        return "float32" if self.prefix is None else self.prefix.precision

    @property
    def kept_precision(self) -> str:
        """Of the rows that are kept, which may be coarser than the pass that made them."""
        if self.prefix is None or self.cut.crossing == (FEATURES,):
            return self.precision
        return self.precision if self.precision == "bfloat16" else "float16"

    @property
    def engine(self) -> str:
        """Of the frozen pass."""
        return "keras" if self.prefix is None else self.prefix.engine_name

    def plain(self, setup: Setup, positions: NDArray[np.int64], station: str) -> Examples:
        """Returns photos as they are."""
        from headstart.training.examples import KeptRows

        if self.prefix is None:
            return self._fresh(setup, positions, Augmentation())
        rows, _ = self.prefix.rows(
            setup.index, positions, image_size=setup.spec.image_size, station=station
        )
        return KeptRows(setup.index.labels[positions], (rows,))

    def varied(self, setup: Setup, positions: NDArray[np.int64], station: str) -> Examples:
        """Returns photos as a training sees them."""
        from headstart.training.examples import KeptRows

        if self.prefix is None:
            return self._fresh(setup, positions, self.augmentation)
        views = []
        for number in range(self.views):
            rows, _ = self.prefix.rows(
                setup.index,
                positions,
                image_size=setup.spec.image_size,
                station=station if self.views == 1 else f"{station}, view {number + 1}",
                view=View(self.augmentation, number, setup.recipe.seed),
            )
            views.append(rows)
        return KeptRows(setup.index.labels[positions], tuple(views))

    def mix(self, seed: int) -> Mix | None:
        """Returns what mixes whole batches, where that is wanted."""
        if not self.augmentation.changes_batches:
            return None
        return lambda photos, wanted, step: mix_batch(
            photos, wanted, self.augmentation, seed=seed, step=step
        )

    def _fresh(
        self, setup: Setup, positions: NDArray[np.int64], augmentation: Augmentation
    ) -> FreshPhotos:
        from headstart.training.examples import FreshPhotos

        def read(chosen: NDArray[np.int64], epoch: int) -> NDArray[Any]:
            batches = photo_batches(
                setup.index,
                positions[chosen],
                image_size=setup.spec.image_size,
                batch_size=READ_AT_ONCE,
                place=self.place,
                view=View(augmentation, epoch + 1, setup.recipe.seed),
            )
            return np.concatenate(list(batches))

        return FreshPhotos(setup.index.labels[positions], read)
