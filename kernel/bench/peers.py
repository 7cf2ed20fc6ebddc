"""The network of sSWE in another framework, as a worker of `go run . bench --peers PYTHON`.

    peers.py FRAMEWORK FOLDER THREADS [first-step]

FRAMEWORK is torch, torch-channels-last, jax or onnxruntime. FOLDER holds weights.npz (the checkpoint's names and shapes) and
batch.npz (image and target, [batch, height, width, 1]). Each line read, "train N" or "infer BATCH N", is answered by one line of
JSON: the seconds of each of N steps and the losses, or the output's first values for comparison. With first-step it takes one
training step and ends.
"""

import io
import json
import os
import sys
import time
import warnings

warnings.simplefilter("ignore", DeprecationWarning)
framework, folder, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ["OMP_NUM_THREADS"] = str(threads)
import numpy as np  # noqa: E402  (after the number of threads is set)

weights = dict(np.load(os.path.join(folder, "weights.npz")))
batch = dict(np.load(os.path.join(folder, "batch.npz")))
image, target = batch["image"], batch["target"]
levels = sum(name.startswith("network/encoder_") and name.endswith("conv_0/conv/weights") for name in weights)
SLOPE, EPSILON, RATE = batch["leaky_slope"].item(), 1e-3, batch["learning_rate"].item()
UNITS = [f"encoder_{i}" for i in range(levels)] + ["bottleneck"] + [f"decoder_{i}" for i in range(levels)]


def layer(unit, i):
    """Kernel, scale, offset, mean and variance of one convolution."""
    at = f"network/{unit}/conv_{i}/"
    norm = [weights[f"{at}batch_normalization/{name}"] for name in ("scale", "offset", "mean", "variance")]
    return [weights[at + "conv/weights"], *norm]


def torch_network():
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(threads)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.units = nn.ModuleDict()
            for unit in UNITS:
                steps = []
                for i in range(2):
                    kernel, *norm = layer(unit, i)
                    convolution = nn.Conv2d(kernel.shape[2], kernel.shape[3], 3, padding=1, bias=False)
                    normal = nn.BatchNorm2d(kernel.shape[3], eps=EPSILON)
                    convolution.weight.data = torch.tensor(kernel.transpose(3, 2, 0, 1).copy())
                    normal.weight.data, normal.bias.data, normal.running_mean, normal.running_var = map(torch.tensor, norm)
                    steps += [convolution, normal, nn.LeakyReLU(SLOPE, inplace=True)]
                self.units[unit] = nn.Sequential(*steps)
            head = weights["network/head/conv/weights"]
            self.head = nn.Conv2d(head.shape[2], 1, 1)
            self.head.weight.data = torch.tensor(head.transpose(3, 2, 0, 1).copy())
            self.head.bias.data = torch.tensor(weights["network/head/conv/biases"].reshape(1))

        def forward(self, x):
            skips = []
            for i in range(levels):
                x = self.units[f"encoder_{i}"](x)
                skips.append(x)
                x = functional.max_pool2d(x, 2)
            x = self.units["bottleneck"](x)
            for i in reversed(range(levels)):
                x = self.units[f"decoder_{i}"](torch.cat([functional.interpolate(x, scale_factor=2), skips[i]], 1))
            return self.head(x)

    return torch, Network()


def torch_engine(channels_last):
    torch, network = torch_network()
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network = network.to(memory_format=layout)
    x, y = (torch.tensor(a.transpose(0, 3, 1, 2).copy()).to(memory_format=layout) for a in (image, target))
    adam = torch.optim.Adam(network.parameters(), RATE, eps=1e-7)

    def train():
        network.train()
        adam.zero_grad(set_to_none=True)
        loss = (network(x) - y).abs().mean()
        loss.backward()
        adam.step()
        return loss.item()

    def infer(n):
        network.eval()
        with torch.inference_mode():
            return network(x[:n]).numpy()

    return train, infer


def jax_engine():
    import jax
    import jax.numpy as jnp
    from jax import lax

    def convolve(x, kernel):
        return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def unit(parameters, averages, x):
        for (kernel, scale, offset), stored in zip(parameters, averages, strict=True):
            x = convolve(x, kernel)
            mean, variance = (x.mean((0, 1, 2)), x.var((0, 1, 2))) if stored is None else stored
            x = (x - mean) * (lax.rsqrt(variance + EPSILON) * scale) + offset
            x = jnp.where(x > 0, x, SLOPE * x)  # compiled, the gradient of jnp.maximum(x, SLOPE * x) has wrong signs in JAX 0.10.2
        return x

    def network(parameters, averages, x):
        skips = []
        for i in range(levels):
            x = unit(parameters[f"encoder_{i}"], averages[f"encoder_{i}"], x)
            skips.append(x)
            x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        x = unit(parameters["bottleneck"], averages["bottleneck"], x)
        for i in reversed(range(levels)):
            x = jnp.concatenate([jnp.repeat(jnp.repeat(x, 2, 1), 2, 2), skips[i]], -1)
            x = unit(parameters[f"decoder_{i}"], averages[f"decoder_{i}"], x)
        kernel, bias = parameters["head"]
        return convolve(x, kernel) + bias

    parameters = {u: [layer(u, i)[:3] for i in range(2)] for u in UNITS}
    parameters["head"] = [weights["network/head/conv/weights"], weights["network/head/conv/biases"]]
    stored = {u: [layer(u, i)[3:] for i in range(2)] for u in UNITS}
    batch_own = {u: [None, None] for u in UNITS}
    each = jax.tree.map

    def step(parameters, m, v, count):
        loss, gradient = jax.value_and_grad(lambda p: jnp.abs(network(p, batch_own, image) - target).mean())(parameters)
        m = each(lambda m, g: 0.9 * m + 0.1 * g, m, gradient)
        v = each(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradient)
        size = RATE / (1 - 0.9**count)
        parameters = each(lambda p, m, v: p - size * m / (jnp.sqrt(v / (1 - 0.999**count)) + 1e-7), parameters, m, v)
        return parameters, m, v, loss

    step = jax.jit(step, donate_argnums=(0, 1, 2))
    predict = jax.jit(network)
    trained = jax.tree.map(jnp.array, parameters)
    state = [trained, each(jnp.zeros_like, trained), each(jnp.zeros_like, trained), 0]

    def train():
        state[3] += 1
        state[0], state[1], state[2], loss = step(*state[:3], float(state[3]))
        return float(loss)

    return train, lambda n: np.asarray(predict(parameters, stored, image[:n])).transpose(0, 3, 1, 2)


def onnxruntime_engine():
    import onnxruntime

    torch, network = torch_network()
    network.eval()
    content = io.BytesIO()
    torch.onnx.export(network, torch.zeros(8, 1, *image.shape[1:3]), content, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(content.getvalue(), options, providers=["CPUExecutionProvider"])
    channels_first = image.transpose(0, 3, 1, 2).copy()
    return None, lambda n: session.run(None, {"x": channels_first[:n]})[0]


def answer(**values):
    print(json.dumps(values), file=replies, flush=True)


# Frameworks print warnings: replies keep the pipe to themselves.
replies = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
engines = {"torch": lambda: torch_engine(False), "torch-channels-last": lambda: torch_engine(True), "jax": jax_engine, "onnxruntime": onnxruntime_engine}
train, infer = engines[framework]()
if sys.argv[4:] == ["first-step"]:
    train()
    os._exit(0)  # without the frameworks' farewells, which nobody waits for
# Whichever way memory is laid out, an output is [batch, 1, height, width]: compared as one row of pixels.
answer(version=__import__(framework.split("-")[0]).__version__, output=infer(image.shape[0]).ravel().astype(float).tolist())
for line in sys.stdin:
    command, *numbers = line.split()
    seconds, losses = [], []
    for _ in range(int(numbers[-1])):
        start = time.perf_counter()
        if command == "train":
            losses.append(train())
        else:
            infer(int(numbers[0]))
        seconds.append(time.perf_counter() - start)
    answer(seconds=seconds, losses=losses)
