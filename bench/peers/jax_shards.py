"""A batch on one XLA device, whose operations use all threads, or split over several host devices of one thread each."""
import jax
import jax.numpy as jnp


def grid(batches, threads):
    """(text, batch, shards) of every setting worth a trial."""
    jax.config.update("jax_num_cpu_devices", threads)
    for batch in batches:
        for shards in {1, threads}:
            if batch % shards == 0:
                yield f"batch {batch}" + (f" in {shards} shards" if shards > 1 else ""), batch, shards


def split(parts):
    """One pytree for each shard -> what compile_for's function takes."""
    if len(parts) == 1:
        return jax.tree.map(jnp.copy, parts[0])
    return jax.tree.map(lambda *x: jnp.stack(x), *parts)


def compile_for(shards, function, donate=False):
    """`function` of pytrees made by split(). Across shards it may use the axis "shard"."""
    donated = (0,) if donate else ()
    if shards == 1:
        return jax.jit(function, donate_argnums=donated)
    return jax.pmap(function, axis_name="shard", donate_argnums=donated)
