"""A peer of several processes, for libraries that use one core: each works on its share of the batch, their rates add up."""
from multiprocessing import get_context

import peer


def _serve(pipe, make, arguments, seed):
    work = make(*arguments, seed)
    while (seconds := pipe.recv()) is not None:
        pipe.send(peer.rate(work, seconds))


class Crowd:
    """work() of peer.serve, except that the time comes from measure()."""

    def __init__(self, count, make, *arguments):
        context = get_context("fork")
        self.pipes = []
        for seed in range(count):
            ours, theirs = context.Pipe()
            context.Process(target=_serve, args=(theirs, make, arguments, seed), daemon=True).start()
            self.pipes.append(ours)

    def __call__(self):
        return self.measure(0)

    def measure(self, seconds):
        for pipe in self.pipes:
            pipe.send(seconds)
        return sum(pipe.recv() for pipe in self.pipes)


def serve(settings, count, seconds, packages):
    """As peer.serve, with settings: text -> (make, arguments...), where make(arguments..., seed) makes one process's work."""
    crowds = {f"{text} in each of {count} processes" if count > 1 else text: lambda call=call: Crowd(count, *call)
              for text, call in settings.items()}
    peer.serve(crowds, seconds, packages, measure=Crowd.measure)
