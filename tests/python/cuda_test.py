"""On a GPU: the CPU's results, arrays without copies, the caller's streams. Skipped where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import random_actions

import shoal

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("no GPU", allow_module_level=True)
try:
    shoal.make("recall", device="cuda").close()
except shoal.InputError as error:
    pytest.skip(str(error), allow_module_level=True)

FIELDS = ("observations", "rewards", "terminated", "truncated", "masks", "alive")
DELAY = 100_000_000  # cycles, some 50 ms


def groups_of(arrays) -> dict:
    return arrays if isinstance(arrays, dict) else {"agents": arrays}


def to_cuda(actions):
    if isinstance(actions, dict):
        return {key: torch.from_numpy(x).cuda() for key, x in actions.items()}
    return torch.from_numpy(actions).cuda()


def test_the_gpu_gives_what_the_cpu_gives(name, rng):
    host, device = (shoal.make(name, num_envs=33, seed=2, device=d) for d in ("cpu", "cuda"))
    assert device.device == "cuda:0"
    host.reset()
    device.reset()
    for _ in range(30):
        actions = random_actions(host, rng)
        host.step(actions)
        device.step(to_cuda(actions))
        for field in FIELDS:
            expected = groups_of(getattr(host.outputs, field))
            for key, array in groups_of(getattr(device.outputs, field)).items():
                np.testing.assert_array_equal(array.numpy(), expected[key])
    assert host.export_state(7) == device.export_state(7)


def test_torch_shares_the_memory():
    env = shoal.make("matrix_game", num_envs=8, device="cuda")
    out = env.reset()
    views = [torch.from_dlpack(out.observations) for _ in range(2)]
    assert views[0].data_ptr() == views[1].data_ptr() and views[0].is_cuda
    mine = torch.full((8, 2), 7.0, device="cuda")
    env.step(torch.zeros(8, 2, dtype=torch.int32, device="cuda"), out={"rewards": mine})
    assert (mine == 3).all()


def test_side_streams_with_delayed_work():
    """Actions come late on one stream, the step runs on another, and results are read on a third."""
    env = shoal.make("matrix_game", num_envs=8, device="cuda")
    producer, stepper, consumer = (torch.cuda.Stream() for _ in range(3))
    env.reset(stream=stepper.cuda_stream)
    for action, reward in ((0, 3.0), (1, 1.0), (0, 3.0)):
        with torch.cuda.stream(producer):
            actions = torch.full((8, 2), 1 - action, dtype=torch.int32, device="cuda")
            torch.cuda._sleep(DELAY)
            actions.fill_(action)
            env.step(actions, stream=stepper.cuda_stream)  # torch makes our stream wait for the producer
        with torch.cuda.stream(consumer):
            rewards = torch.from_dlpack(env.outputs.rewards).clone()  # we make the consumer wait for our stream
            assert (rewards == reward).all()


def test_streams_that_are_not_waited_for():
    env = shoal.make("matrix_game", num_envs=8, device="cuda")
    env.reset()
    actions = torch.zeros(8, 2, dtype=torch.int32, device="cuda")
    torch.cuda.synchronize()
    for stream in (None, 1, 2, -1):
        env.step(actions, stream=stream)
    with pytest.raises(shoal.InputError, match="stream = 0: expected None or 1"):
        env.step(actions, stream=0)
    env.synchronize()


def test_arrays_of_the_host_are_refused():
    env = shoal.make("matrix_game", num_envs=8, device="cuda")
    env.reset()
    with pytest.raises(shoal.InputError, match="^discrete actions: on cpu, expected cuda:0$"):
        env.step(np.zeros((8, 2), np.int32))
    with pytest.raises(shoal.InputError, match='^device = "cuda:99": expected one of the'):
        shoal.make("matrix_game", device="cuda:99")
    with pytest.raises(shoal.InputError, match="^out: bound by an environment on another device, expected cuda:0$"):
        env.reset(out=shoal.make("matrix_game", num_envs=8).outputs)


def test_a_forked_process():
    import os

    env = shoal.make("matrix_game", num_envs=8, device="cuda")
    env.reset()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        texts = []
        for call in (env.reset, lambda: shoal.make("matrix_game", device="cuda")):
            try:
                call()
            except shoal.InputError as error:
                texts.append(str(error))
        os.write(writer, "\n".join(texts).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        texts = file.read().split("\n")
    assert os.waitpid(child, 0)[1] == 0
    assert "used in one forked from it" in texts[0] and "CUDA was in use before this process was forked" in texts[1]
