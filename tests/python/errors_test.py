"""Bad input: one clear error, no crash."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

import shoal


def refuses(text: str):
    """The whole message."""
    import re

    return pytest.raises(shoal.InputError, match=f"^{re.escape(text)}$")


def test_the_types_of_errors():
    assert issubclass(shoal.InputError, ValueError) and issubclass(shoal.Error, RuntimeError)


# ---- Names and settings ---------------------------------------------------------------------------------------------

KNOWN = ", ".join(f'"{name}"' for name in shoal.list())
EXPECTED = "expected a boolean, a number, a string or a list"


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("chess", {}, f'name = "chess": expected one of {KNOWN}'),
        (7, {}, "name = 7: expected a string"),
        ("market", {"merchant": 3}, "merchant: unknown key; did you mean merchants?"),
        ("market", {"merchants": 99}, "merchants = 99: expected an integer in [2, 16]"),
        ("market", {"merchants": 2.5}, "merchants = 2.5: expected an integer in [2, 16]"),
        ("market", {"merchants": True}, "merchants = true: expected an integer in [2, 16]"),
        ("market", {"merchants": 2**70}, f"merchants = {2**70}: expected a number of 64 bits"),
        ("market", {"arrival": float("nan")}, "arrival = nan: expected a number in [0, 1]"),
        ("market", {"penalty": "none"},
         'penalty = "none": expected one of "absolute", "downside", "expected", "quadratic"'),
        ("market", {"links_1": [1, 2]}, "links_1 = [1, 2]: expected a list of numbers in [0, 1]"),
        ("market", {"links_1": [0.5]}, "links_1: 1 values, expected 10"),
        ("market", {"links_1": [0.5, "x"]}, "links_1: expected a list of numbers only or of strings only"),
        ("market", {"links_1": {"a": 1}}, f"links_1 is a dictionary: {EXPECTED}"),
        ("market", {"links_1": None}, f"links_1 = None: {EXPECTED}"),
        ("market", {"links_1": b"x"}, f"links_1 = b'x': {EXPECTED}"),
        ("market", {"num_envs": 0}, "num_envs = 0: expected an integer in [1, 16777216]"),
        ("market", {"num_envs": "4"}, 'num_envs = "4": expected an integer in [1, 16777216]'),
        ("market", {"seed": -1}, "seed = -1: expected an integer in [0, 4294967295]"),
        ("market", {"threads": 100000}, "threads = 100000: expected an integer in [0, 4096]"),
        ("market", {"device": "tpu"}, 'device = "tpu": expected one of "cpu", "cuda", "cuda:N"'),
        ("market", {"device": "cuda:x"}, 'device = "cuda:x": expected one of "cpu", "cuda", "cuda:N"'),
        ("market", {"device": None}, "device = None: expected a string"),
        ("market", {"observation": {"widht": 3}}, "observation.widht: unknown key; did you mean width?"),
        ("market", {"observation": {"width": 3}},
         "observation.width = 3: expected 0 or at least 21, the observation before padding"),
        ("market", {"observation": 3}, "observation: of type int, expected a dictionary"),
    ],
)
def test_settings(name, settings, message):
    with refuses(message):
        shoal.make(name, **settings)


def test_too_many_instances_for_the_memory():
    with pytest.raises(shoal.InputError, match=r"^num_envs = 16777216: needs .* of memory, .* are available$"):
        shoal.make("market", num_envs=1 << 24, merchants=16)


def test_cuda_where_there_is_none():
    try:
        env = shoal.make("market", device="cuda")
    except shoal.InputError as error:
        assert str(error).startswith('device = "cuda": ') and str(error).endswith('expected "cpu"')
    else:
        assert env.device == "cuda:0"


# ---- Arrays ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def env():
    env = shoal.make("recall", num_envs=3)  # 4 agents, choices of 4
    env.reset()
    return env


def legal() -> np.ndarray:
    return np.zeros((3, 4), np.int32)


def test_step_before_reset():
    with refuses("recall: step() before the first reset()"):
        shoal.make("recall", num_envs=3).step(legal())


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (legal()[:2], "shape [2, 4], expected shape [3, 4, 1]"),
        (legal()[:, :, None, None], "shape [3, 4, 1, 1], expected shape [3, 4, 1]"),
        (legal().astype(np.int64), "dtype int64, expected int32"),
        (legal().astype(np.float32), "dtype float32, expected int32"),
        (legal().astype(">i4"), "of type ndarray, expected an array that DLPack or the buffer protocol lends"),
        ([[0] * 4] * 3, "of type list, expected an array that DLPack or the buffer protocol lends"),
        (None, "of type NoneType, expected an array that DLPack or the buffer protocol lends"),
        (np.frombuffer(b"\0" * 49, np.int32, 12, 1).reshape(3, 4),
         "memory that is not aligned to its type; expected an aligned array"),
    ],
)
def test_actions_that_do_not_fit(env, actions, message):
    with refuses(f"discrete actions: {message}"):
        env.step(actions)


@pytest.mark.parametrize("choice", [-1, 4, 2**31 - 1])
def test_illegal_choices(env, choice):
    actions = legal()
    actions[1, 2] = choice
    before = [env.export_state(i) for i in range(3)]
    with refuses(f"recall: instance 1, agent 2, answer: {choice}, expected one in [0, 4)"):
        env.step(actions)
    assert before == [env.export_state(i) for i in range(3)]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_actions_that_are_not_finite(value):
    env = shoal.make("market", num_envs=2)
    env.reset()
    actions = np.zeros((2, 5, 3), np.float32)
    actions[1, 3, 2] = value
    with refuses(f"market: instance 1, agent 3, hedge: action {value}, expected a finite number"):
        env.step(actions)


def test_groups_of_actions():
    env = shoal.make("two_role", num_envs=2)
    env.reset()
    one = np.zeros((2, 1), np.int32)
    expected = 'expected a dictionary with an entry for each of "a", "b"'
    for wrong in (one, {"a": one}, [one, one], None):
        with refuses(f"actions: {expected}"):
            env.step(wrong)
    for wrong in ({"a": one, "c": one}, {"a": one, "b": one, "c": one}):
        with pytest.raises(shoal.InputError, match="^actions: .*expected a dictionary"):
            env.step(wrong)
    with refuses('group "b": discrete actions: shape [1, 1], expected shape [2, 1, 1]'):
        env.step({"a": one, "b": one[:1]})


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"reward": np.zeros((3, 4))}, "reward: unknown key; expected one of observations, rewards, terminated, "
         "truncated, masks, alive, final_observations"),
        ({"rewards": np.zeros((3, 4))}, "rewards: dtype float64, expected float32"),
        ({"rewards": np.zeros((4, 3), np.float32)}, "rewards: shape [4, 3], expected shape [3, 4]"),
        ({"terminated": np.zeros((3, 4), np.int32)}, "terminated: dtype int32, expected bool"),
        ({"rewards": 1.0}, "rewards: of type float, expected an array that DLPack or the buffer protocol lends"),
        ({"rewards": np.broadcast_to(np.float32(0), (3, 4))},
         "rewards: a read-only array, expected one that can be written"),
        ({"observations": np.zeros((3, 4, 12), np.float32)[..., ::2]},
         "observations: the last extent has stride 2, expected 1"),
    ],
)
def test_outputs_that_do_not_fit(env, arrays, message):
    with refuses(message):
        env.step(legal(), out=arrays)


def test_outputs_of_another_environment(env):
    other = shoal.make("recall", num_envs=4)
    with refuses("observations: shape [4, 4, 6], expected shape [3, 4, 6]"):
        env.step(legal(), out=other.outputs)
    two = shoal.make("two_role", num_envs=3)
    with refuses("2 outputs: expected 1, one for each group of agents"):
        env.step(legal(), out=two.outputs)
    with refuses("out: of type int, expected what bind() returns, or a dictionary"):
        env.step(legal(), out=3)
    with refuses('rewards: expected a dictionary with an entry for each of "a", "b"'):
        two.bind(rewards=np.zeros((3, 1), np.float32))


def test_arrays_on_another_device(env):
    torch = pytest.importorskip("torch")
    with pytest.raises(shoal.InputError, match="^discrete actions: "):
        env.step(torch.zeros((3, 4), dtype=torch.int32, device="meta"))


def test_streams_belong_to_cuda(env):
    for call in (env.reset, env.observe, lambda stream: env.step(legal(), stream=stream)):
        with refuses('stream = 1: expected None on device "cpu"'):
            call(stream=1)


def test_memory_of_the_caller_is_kept():
    env = shoal.make("recall", num_envs=1000)
    slot = env.bind(rewards=np.zeros((1000, 4), np.float32), observations=np.zeros((1000, 4, 6), np.float32))
    rewards, slot.rewards, slot.observations = slot.rewards, None, None
    del rewards
    noise = [np.ones((1000, 4, 6), np.float32) for _ in range(20)]
    env.reset(out=slot)
    env.step(np.zeros((1000, 4), np.int32), out=slot)
    assert all((array == 1).all() for array in noise)


# ---- State ----------------------------------------------------------------------------------------------------------


def test_states_that_do_not_fit(env):
    state = env.export_state(0)
    other = shoal.make("recall", delay=3)
    other.reset()
    damaged = state[:-1] + bytes([state[-1] ^ 1])
    for wrong in (b"", state[:-1], damaged, other.export_state(0), shoal.make("switch").export_state(0)):
        with pytest.raises(shoal.InputError, match="^recall: state of .* bytes that is damaged or of other parameters"):
            env.import_state(0, wrong)
    for instance in (-1, 3):
        with refuses(f"instance {instance}: expected one in [0, 3)"):
            env.export_state(instance)
        with refuses(f"instance {instance}: expected one in [0, 3)"):
            env.import_state(instance, state)
        with refuses(f"instance {instance}: expected one in [0, 3)"):
            env.draw(instance)
    with refuses("scale = 0: expected an integer in [1, 64]"):
        env.draw(0, 0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e30, 1e30])
def test_supertypes_of_any_value_crash_nothing(value):
    for name in ("market", "matrix_game"):
        env = shoal.make(name, num_envs=2)
        env.supertypes[:] = value
        env.reset()
        group = env.spec.groups[0]
        dtype = np.float32 if group.continuous else np.int32
        for _ in range(3):
            env.step(np.zeros((2, group.agents, len(group.continuous) or 1), dtype))


# ---- Life -----------------------------------------------------------------------------------------------------------


def test_use_after_close(env):
    env.close()
    env.close()
    calls = [
        env.reset, env.observe, lambda: env.step(legal()), lambda: env.supertypes, lambda: env.metric_sums, env.metrics,
        env.clear_metrics, lambda: env.export_state(0), lambda: env.import_state(0, b""), env.draw, env.synchronize,
        lambda: env.bind(rewards=np.zeros((3, 4), np.float32)),
    ]  # fmt: skip
    for call in calls:
        with refuses("recall: used after close()"):
            call()
    assert "recall" in repr(env) and not env.can_draw


def test_two_threads_in_one_environment():
    env = shoal.make("market", num_envs=256, threads=1)
    env.reset()
    actions = np.zeros((256, 5, 3), np.float32)
    refused, done = [], threading.Event()

    def step():
        while not done.is_set():
            try:
                env.step(actions)
            except shoal.InputError as error:
                refused.append(str(error))
                done.set()

    threads = [threading.Thread(target=step) for _ in range(2)]
    for thread in threads:
        thread.start()
    done.wait(30)
    done.set()
    for thread in threads:
        thread.join()
    assert refused and set(refused) == {"market: used by another thread at this moment; expected one thread at a time"}
    env.step(actions)


def test_other_threads_run_during_a_step():
    env = shoal.make("market", num_envs=4096, threads=1)
    env.reset()
    actions = np.zeros((4096, 5, 3), np.float32)
    inside, counted = threading.Event(), []

    def count():
        inside.wait()
        while inside.is_set():
            counted.append(1)

    thread = threading.Thread(target=count)
    thread.start()
    inside.set()
    for _ in range(10):
        before = len(counted)
        env.step(actions)
        after = len(counted)
        if after > before:
            break
    inside.clear()
    thread.join()
    assert after > before


@pytest.mark.parametrize("threads", [1, 2])
def test_a_forked_process(threads):
    env = shoal.make("recall", num_envs=64, threads=threads)
    env.reset()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            env.step(np.zeros((64, 4), np.int32))
            text = "stepped"
        except shoal.InputError as error:
            text = str(error)
        del env
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    assert os.waitpid(child, 0)[1] == 0
    if threads == 1:
        assert text == "stepped"
    else:
        assert text == (
            f"recall: made in process {os.getpid()}, used in one forked from it; expected a simulator made in the "
            "process that uses it"
        )
