"""The network of a run as a drawing, what is frozen told apart from what has learnt."""

from headstart.artifact.run import Run
from headstart.drawing.svg import draw_svg
from headstart.modelfile.cutting import ancestors
from headstart.modelfile.graph import ModelGraph
from headstart.modelfile.reading import read_graph


def draw_network(run: Run) -> tuple[str, str]:
    """Draws `model.keras`.

    Args:
        run: a run folder that was read.

    Returns:
        An `<svg>` element, and a sentence on what has not learnt.

    Raises:
        RunError: when the model is not as it was written.
    """
    run.check("model.keras")
    graph = read_graph(run.model_file)
    frozen = _frozen_layers(run, graph)
    layers = [node.name for node in graph.layers]
    told = (
        f"{len(frozen)} of {len(layers)} layers are frozen: they are as the backbone brought them."
        if frozen
        else "All layers have learnt."
    )
    return draw_svg(graph, frozen=frozen, drawing_id="drawing"), told


def _frozen_layers(run: Run, graph: ModelGraph) -> frozenset[str]:
    """What lies below the cut of every stage that led to what was kept."""
    head, names = run.manifest.head, {node.name for node in graph.layers}
    if head.get("adopted"):
        return frozenset()
    cuts = [["features"]]
    if head.get("kept") == "fine-tuned":
        cuts = [stage["cut"] for stage in head["stages"][: head["kept_stage"]]]
    frozen = names
    for crossing in cuts:
        below = {name for node in crossing if node in names for name in ancestors(graph, node)}
        frozen = frozen & below
    inputs = {node.name for node in graph.layers if not node.inputs}
    return frozenset(frozen) if frozen - inputs else frozenset()
