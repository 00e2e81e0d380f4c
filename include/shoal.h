/* shoal's C interface, C99: batches of multi-agent environments on the CPU or a CUDA device.
 *
 *   shoal_options options;
 *   shoal_simulator* simulator;
 *   shoal_options_init(&options, sizeof options);
 *   options.instances = 1024;
 *   if (shoal_create(&simulator, "market", "merchants = 5", &options)) fprintf(stderr, "%s\n", shoal_last_error());
 *   shoal_get_array(simulator, SHOAL_CONTINUOUS_ACTIONS, 0, &actions, sizeof actions);
 *   shoal_reset(simulator);
 *   for (;;) { ...write actions...; shoal_step(simulator); ...read rewards, observations... }
 *   shoal_close(simulator);
 *
 * Errors. Every function but shoal_version() and shoal_last_error() returns SHOAL_OK, 0, or another shoal_status. After
 * an error nothing has changed, unless the status is SHOAL_FAILED, and shoal_last_error() says what was wrong.
 *
 * Threads. Calls on different simulators may run at once. Of two calls on one simulator at once one returns SHOAL_BUSY.
 *
 * Handles. A shoal_simulator* is a number that is never dereferenced: null and closed handles give SHOAL_CLOSED.
 *
 * Structs. A function that fills or reads a struct takes its size, so that programs compiled with an older header work
 * with a newer library: fields that the caller does not know are left out, or have their defaults.
 *
 * Text is UTF-8. Text and arrays that a simulator lends live until shoal_close(); text of shoal_list(),
 * shoal_get_environment() and shoal_get_field() lives for ever.
 *
 * Groups. Agents with the same spaces form a group and have arrays of their own. Groups, heads, supertypes,
 * coordinates, metrics and fields are numbered from 0.
 */
#ifndef SHOAL_H
#define SHOAL_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SHOAL_API __attribute__((visibility("default")))
#else
#define SHOAL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version and errors ----------------------------------------------------------------------------------------- */

/* The version of this header. */
#define SHOAL_VERSION_MAJOR 0
#define SHOAL_VERSION_MINOR 2
#define SHOAL_VERSION_PATCH 0
#define SHOAL_VERSION_NUMBER (SHOAL_VERSION_MAJOR * 10000 + SHOAL_VERSION_MINOR * 100 + SHOAL_VERSION_PATCH)

/* Of the library: its SHOAL_VERSION_NUMBER. Versions that differ in the patch alone are compatible. */
SHOAL_API int32_t shoal_version(void);

/* SHOAL_OK, or what went wrong. */
typedef int32_t shoal_status;
/* Values of shoal_status. */
enum {
  SHOAL_OK = 0,
  SHOAL_INVALID = 1,   /* what the caller gave: an argument, setting, shape or action */
  SHOAL_CLOSED = 2,    /* the simulator is null, closed, or belongs to the process that this one was forked from */
  SHOAL_BUSY = 3,      /* another thread is in a call on this simulator */
  SHOAL_NO_MEMORY = 4, /* of the host */
  SHOAL_FAILED = 5     /* CUDA or the system failed */
};

/* What the last call of this thread that failed says, in one line. Valid until the thread's next call that fails. Empty
 * before the first. */
SHOAL_API char const* shoal_last_error(void);

/* ---- Environments ----------------------------------------------------------------------------------------------- */

/* What shoal_get_environment() tells. */
typedef struct shoal_environment {
  char const* summary; /* one line */
  int32_t fields;      /* parameters */
} shoal_environment;

/* One parameter of an environment: shoal_get_field(). */
typedef struct shoal_field {
  char const* name;
  char const* type;    /* "integer", "real", "boolean", "string", "integers", "reals", "strings" */
  char const* value;   /* the default, as TOML writes it */
  char const* allowed; /* "in [2, 16]", "one of ..."; empty: any */
  char const* meaning; /* one line */
} shoal_field;

/* Loads the environment of a plugin, a shared library that shoal_add_environment() made (docs/plugins.md), until the
 * process ends. Functions that take an environment's name know it from then on. Loading a file again has no effect.
 * Plugins that the environment variable SHOAL_PLUGINS lists, separated by colons, need no call. */
SHOAL_API shoal_status shoal_load_plugin(char const* path);

/* The names of all environments, those of plugins last.
 * @param names  becomes an array of `count` names */
SHOAL_API shoal_status shoal_list(char const* const** names, int32_t* count);
/* What an environment is. @param size  sizeof(shoal_environment) */
SHOAL_API shoal_status shoal_get_environment(char const* name, shoal_environment* environment, size_t size);
/* One parameter of an environment.
 * @param index  in [0, shoal_environment.fields)
 * @param size   sizeof(shoal_field) */
SHOAL_API shoal_status shoal_get_field(char const* environment, int32_t index, shoal_field* field, size_t size);

/* ---- Simulators ------------------------------------------------------------------------------------------------- */

/* A batch of instances of one environment. */
typedef struct shoal_simulator shoal_simulator;

/* shoal_options.device */
enum { SHOAL_CPU = 0, SHOAL_CUDA = 1 };
/* shoal_options.indication */
enum { SHOAL_INDICATE_NONE = 0, SHOAL_INDICATE_AGENT = 1, SHOAL_INDICATE_GROUP = 2 };

/* What a simulator is made with. Observations are [own observation | type | indication | padding | global state]. */
typedef struct shoal_options {
  size_t size;               /* set by shoal_options_init() */
  int32_t instances;         /* at least 1; default 1 */
  int32_t device;            /* SHOAL_CPU (default) or SHOAL_CUDA: the CUDA device that is current in shoal_create() */
  int32_t threads;           /* CPU: 1 (default) to 4096, the calling one included */
  uint32_t seed;             /* default 0 */
  uint32_t first_instance;   /* number of instance 0 for its random numbers; default 0. Processes that share a seed and
                                take ranges of their own simulate what one with all instances would */
  int32_t observe_type;      /* 1 (default): append the agent's type; 0: leave it out */
  int32_t indication;        /* append a one-hot: SHOAL_INDICATE_NONE (default), _AGENT, _GROUP */
  int32_t observation_width; /* pad observations with zeros to this width; 0 (default): no padding */
  int32_t pad_groups;        /* 1: groups with different spaces are padded to one, with masks; 0 (default) */
  int32_t central_critic;    /* 1: rows of observations end with the global state, shoal_spec.state values that a critic
                                may see and a policy is not to; 0 (default) */
} shoal_options;

/* Writes the defaults. @param size  sizeof(shoal_options) */
SHOAL_API shoal_status shoal_options_init(shoal_options* options, size_t size);

/* Makes a simulator and writes its handle.
 * @param environment  a name of shoal_list()
 * @param params       the environment's parameters as TOML ("merchants = 5", one a line) or as a JSON object; null:
 *                     defaults
 * @param options      of shoal_options_init(); null: defaults */
SHOAL_API shoal_status shoal_create(shoal_simulator** simulator, char const* environment, char const* params,
                                    shoal_options const* options);

/* Ends the simulator and frees its memory, but for arrays that shoal_to_dlpack() has exported. Waits for its CUDA work.
 */
SHOAL_API shoal_status shoal_close(shoal_simulator* simulator);

/* ---- What the environment is ------------------------------------------------------------------------------------ */

/* What the environment is with its parameters: how many there are of each, and what episodes may do. */
typedef struct shoal_spec {
  int32_t groups;
  int32_t agents; /* of an instance, through all groups */
  int32_t supertypes;
  int32_t coordinates; /* of the longest supertype: the last extent of SHOAL_SUPERTYPES */
  int32_t metrics;
  int32_t max_episode_steps; /* the longest episode */
  int32_t may_truncate;      /* 1: episodes can end without a terminal state */
  int32_t may_die;           /* 1: agents can leave an episode before its end */
  int32_t may_abstain;       /* 1: an agent can do nothing and then earns exactly 0 */
  int32_t state;             /* how many values the global state has; 0: there is none */
} shoal_spec;

/* Agents with the same spaces. */
typedef struct shoal_group {
  char const* name;
  int32_t agents;
  int32_t first_agent;       /* the number, in the instance, of the group's agent 0 */
  int32_t observation_width; /* the last extent of SHOAL_OBSERVATIONS */
  int32_t own_observation;   /* how much of it is the agent's own observation */
  int32_t type;              /* how many values an agent's type has; 0: no types */
  int32_t continuous;        /* continuous heads */
  int32_t discrete;          /* discrete heads */
  int32_t choices;           /* of all discrete heads: the last extent of SHOAL_MASKS */
  int32_t masked;            /* 1: some choices can be illegal */
} shoal_group;

/* One real action. */
typedef struct shoal_continuous_head {
  char const* name;
  float low, high; /* actions beyond are limited to these */
} shoal_continuous_head;

/* One choice. */
typedef struct shoal_discrete_head {
  char const* name;
  int32_t choices;      /* an action is in [0, choices) */
  int32_t first_choice; /* where the head's choices begin in a row of masks */
} shoal_discrete_head;

/* A distribution that agents draw their types from. */
typedef struct shoal_supertype {
  char const* name;
  int32_t coordinates;
} shoal_supertype;

/* One number of a supertype, within [low, high]. */
typedef struct shoal_coordinate {
  char const* name;
  float low, high, initial;
} shoal_coordinate;

/* What the environment is. @param size  sizeof(shoal_spec) */
SHOAL_API shoal_status shoal_get_spec(shoal_simulator* simulator, shoal_spec* spec, size_t size);
/* One group.
 * @param group  in [0, shoal_spec.groups)
 * @param size   sizeof(shoal_group) */
SHOAL_API shoal_status shoal_get_group(shoal_simulator* simulator, int32_t group, shoal_group* out, size_t size);
/* One continuous head of a group.
 * @param head  in [0, shoal_group.continuous)
 * @param size  sizeof(shoal_continuous_head) */
SHOAL_API shoal_status shoal_get_continuous_head(shoal_simulator* simulator, int32_t group, int32_t head,
                                                 shoal_continuous_head* out, size_t size);
/* One discrete head of a group.
 * @param head  in [0, shoal_group.discrete)
 * @param size  sizeof(shoal_discrete_head) */
SHOAL_API shoal_status shoal_get_discrete_head(shoal_simulator* simulator, int32_t group, int32_t head,
                                               shoal_discrete_head* out, size_t size);
/* One supertype.
 * @param supertype  in [0, shoal_spec.supertypes)
 * @param size       sizeof(shoal_supertype) */
SHOAL_API shoal_status shoal_get_supertype(shoal_simulator* simulator, int32_t supertype, shoal_supertype* out,
                                           size_t size);
/* One coordinate of a supertype.
 * @param coordinate  in [0, shoal_supertype.coordinates)
 * @param size        sizeof(shoal_coordinate) */
SHOAL_API shoal_status shoal_get_coordinate(shoal_simulator* simulator, int32_t supertype, int32_t coordinate,
                                            shoal_coordinate* out, size_t size);
/* Which supertype an agent is of; agents are numbered through all groups. */
SHOAL_API shoal_status shoal_get_supertype_of(shoal_simulator* simulator, int32_t agent, int32_t* supertype);
/* The name of a metric: the environment's own, then NAME.return for each supertype, then episode_length. */
SHOAL_API shoal_status shoal_get_metric(shoal_simulator* simulator, int32_t metric, char const** name);

/* ---- Arrays ----------------------------------------------------------------------------------------------------- */

/* N instances, A agents of the group. All lie in the memory of the simulator's device. */
enum {
  SHOAL_CONTINUOUS_ACTIONS = 0, /* [N, A, continuous heads] f32, read by step */
  SHOAL_DISCRETE_ACTIONS = 1,   /* [N, A, discrete heads] i32, read by step */
  SHOAL_OBSERVATIONS = 2,       /* [N, A, observation_width] f32, written by reset, observe and step */
  SHOAL_MASKS = 3,              /* [N, A, choices] u8, 1 = legal, written likewise */
  SHOAL_ALIVE = 4,              /* [N, A] u8, 1: acts in the next step, written likewise */
  SHOAL_REWARDS = 5,            /* [N, A] f32, written by step */
  SHOAL_ENDED = 6,              /* [N, A] u8: 1 terminated, 2 truncated, 0 goes on. The episode of an instance has ended
                                   if all its rows, of all groups, are set; it is reset at once */
  SHOAL_FINAL_OBSERVATIONS = 7, /* like observations, written where an episode ended: those before the reset */
  SHOAL_SUPERTYPES = 8,      /* [N, supertypes, coordinates] f32, group 0. Write here to move a type distribution: the
                                   next reset of an instance reads it */
  SHOAL_METRIC_SUMS = 9,     /* [N, metrics] f32, group 0: sums over episodes that ended since clear_metrics */
  SHOAL_METRIC_EPISODES = 10 /* [N] i32, group 0: how many those are */
};

/* shoal_array.type */
enum { SHOAL_F32 = 0, SHOAL_I32 = 1, SHOAL_U8 = 2 };

/* An array that simulator and caller share, in the memory of `device`. */
typedef struct shoal_array {
  void* data;
  int32_t type;       /* SHOAL_F32, _I32, _U8 */
  int32_t device;     /* SHOAL_CPU, SHOAL_CUDA */
  int32_t rank;       /* 1 to 3 */
  int64_t shape[3];   /* 0 beyond rank */
  int64_t strides[3]; /* of elements. All 0 in shoal_attach(): contiguous, the last extent fastest */
} shoal_array;

/* The array in use. Where none is attached it is shoal's own: contiguous, zeros at first, at one address until
 * shoal_close(). Masks, alive and final observations are written only from the time that they are attached or asked for
 * here; shoal_observe() fills masks and alive at once. A step without actions, attached or asked for, is an error.
 * @param array  SHOAL_CONTINUOUS_ACTIONS to SHOAL_METRIC_EPISODES
 * @param group  in [0, shoal_spec.groups); 0 for the last three
 * @param size   sizeof(shoal_array) */
SHOAL_API shoal_status shoal_get_array(shoal_simulator* simulator, int32_t array, int32_t group, shoal_array* out,
                                       size_t size);

/* Uses the caller's memory from now on, which must live until another takes its place or shoal_close(). Shape, type and
 * device must be the array's. Rows of observations are contiguous; no two elements of what steps write share a place.
 * For the first eight arrays only.
 * @param in    null: shoal's own memory again
 * @param size  sizeof(shoal_array) */
SHOAL_API shoal_status shoal_attach(shoal_simulator* simulator, int32_t array, int32_t group, shoal_array const* in,
                                    size_t size);

struct DLManagedTensor; /* of <dlpack/dlpack.h>, any version */

/* The array in use as a DLPack tensor, without a copy. Its deleter may be called from any thread, once. Memory of
 * shoal's lives until both shoal_close() and the deleter were called; memory that was attached remains the caller's. */
SHOAL_API shoal_status shoal_to_dlpack(shoal_simulator* simulator, int32_t array, int32_t group,
                                       struct DLManagedTensor** tensor);

/* ---- Simulation ------------------------------------------------------------------------------------------------- */

/* On CUDA, reset, observe, step and clear_metrics are asynchronous on the simulator's stream: at first the legacy
 * default stream.
 * @param stream  a cudaStream_t; work on it waits for what is on the stream before. CPU: ignored */
SHOAL_API shoal_status shoal_set_stream(shoal_simulator* simulator, void* stream);
/* Waits until all work is done. */
SHOAL_API shoal_status shoal_synchronize(shoal_simulator* simulator);

/* Starts a new episode in every instance. Comes before observe, step, and export and import of states. */
SHOAL_API shoal_status shoal_reset(shoal_simulator* simulator);
/* Writes observations, masks and alive of the present state. */
SHOAL_API shoal_status shoal_observe(shoal_simulator* simulator);
/* One step of every instance. An instance whose episode ends is reset at once. On the CPU, actions that are not finite
 * or not a choice of their head are errors; on CUDA they are limited. */
SHOAL_API shoal_status shoal_step(shoal_simulator* simulator);

/* Sets SHOAL_METRIC_SUMS and SHOAL_METRIC_EPISODES to 0. */
SHOAL_API shoal_status shoal_clear_metrics(shoal_simulator* simulator);

/* Bytes of an exported state. */
SHOAL_API shoal_status shoal_state_size(shoal_simulator* simulator, size_t* size);
/* Writes the whole state of one instance, supertypes included. Waits for the simulator's CUDA work.
 * @param size  that of shoal_state_size() */
SHOAL_API shoal_status shoal_export_state(shoal_simulator* simulator, int32_t instance, void* bytes, size_t size);
/* Sets what shoal_export_state() wrote, in any simulator of the same environment, parameters and version. Bytes of
 * another one and damaged bytes are SHOAL_INVALID. Waits for the simulator's CUDA work.
 * @param size  that of shoal_state_size() */
SHOAL_API shoal_status shoal_import_state(shoal_simulator* simulator, int32_t instance, void const* bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
