"""What goes into a model, what comes out, and the settings of a call: MLflow's signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models.inference import infer_params, infer_schema
from mltrack_jupyter.models.params import ParamSchema
from mltrack_jupyter.models.schema import Schema


@dataclass(frozen=True)
class ModelSignature:
    """Schemas of a model's inputs and outputs; ``params`` are the settings of a call.

    ``params`` takes a :class:`ParamSchema`, or a list of MLflow's JSON objects.
    """

    inputs: Schema | None = None
    outputs: Schema | None = None
    params: ParamSchema | None = None

    def __post_init__(self) -> None:
        for what in ("inputs", "outputs"):
            given = getattr(self, what)
            if not isinstance(given, Schema | None):
                raise InvalidParameter(
                    f"{what} of a signature is a Schema, not a {type(given).__name__}; infer_signature(...) "
                    "makes a signature of data."
                )
        if not isinstance(self.params, ParamSchema | None):
            params = ParamSchema.of(self.params) if self.params else None
            object.__setattr__(self, "params", params)

    def to_dict(self) -> dict[str, str | None]:
        """Return what stands in ``MLmodel``: JSON texts."""
        return {
            "inputs": self.inputs.to_json() if self.inputs else None,
            "outputs": self.outputs.to_json() if self.outputs else None,
            "params": self.params.to_json() if self.params else None,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ModelSignature:
        """Read what stands in ``MLmodel``. Raises ``InvalidParameter``."""
        if not isinstance(content, Mapping):
            raise InvalidParameter("The signature of the model is corrupt: it must be a mapping.")
        inputs, outputs, params = (content.get(key) for key in ("inputs", "outputs", "params"))
        return cls(
            Schema.from_json(inputs) if inputs else None,
            Schema.from_json(outputs) if outputs else None,
            ParamSchema.from_json(params) if params else None,
        )

    def __repr__(self) -> str:
        parts = {"inputs": self.inputs, "outputs": self.outputs, "params": self.params}
        return "".join(f"{name}: \n  {part!r}\n" for name, part in parts.items())


def infer_signature(
    model_input: Any,
    model_output: Any = None,
    params: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
) -> ModelSignature:
    """Return the signature of a model that took and gave such data.

    Parameters
    ----------
    model_input, model_output
        A DataFrame or Series, an array, a dict of arrays or values, a list of records or values.
    params
        Settings of a call: names and defaults, or MLflow's JSON.

    Examples
    --------
    >>> infer_signature([{"age": 41, "name": "Ada"}], [0.5]).inputs.names
    ['age', 'name']
    """
    return ModelSignature(
        None if model_input is None else infer_schema(model_input),
        None if model_output is None else infer_schema(model_output),
        infer_params(params),
    )
