"""Published models by the classes and configurations of transformers: the same shapes as `anneal bench --shape` has."""

import json
import pathlib

SHAPES = json.loads((pathlib.Path(__file__).parents[2] / "packages/core/src/bench/shapes.json").read_text())


def config_of(shape):
    import transformers

    return transformers.AutoConfig.for_model(**SHAPES[shape])
