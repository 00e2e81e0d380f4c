/* Lists an environment, steps it with random legal actions and prints agent-steps per second.
 *
 *   step [ENVIRONMENT [INSTANCES [STEPS]]]
 */
#define _POSIX_C_SOURCE 199309L /* clock_gettime */

#include <shoal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { most_groups = 8, most_heads = 64 };

/* A group of agents: what it is, where its actions and masks lie. */
typedef struct {
  shoal_group spec;
  shoal_continuous_head continuous[most_heads];
  shoal_discrete_head discrete[most_heads];
  float* reals;
  int32_t* picks;
  uint8_t const* masks;
} Group;

static void check(shoal_status status) {
  if (status == SHOAL_OK) return;
  fprintf(stderr, "error: %s\n", shoal_last_error());
  exit(1);
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* xorshift, Marsaglia 2003 */
static uint32_t random_word(void) {
  static uint32_t x = 2463534242u;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return x;
}

static void* array(shoal_simulator* simulator, int32_t which, int32_t group) {
  shoal_array a;
  check(shoal_get_array(simulator, which, group, &a, sizeof a));
  return a.data;
}

static void describe(shoal_simulator* simulator, int32_t g, Group* group) {
  shoal_group* const spec = &group->spec;
  check(shoal_get_group(simulator, g, spec, sizeof *spec));
  printf("  %s: %d agents, %d observations each", spec->name, spec->agents, spec->observation_width);
  if (spec->continuous > most_heads || spec->discrete > most_heads) exit(2);
  for (int32_t h = 0; h < spec->continuous; ++h) {
    shoal_continuous_head* const head = &group->continuous[h];
    check(shoal_get_continuous_head(simulator, g, h, head, sizeof *head));
    printf(", %s in [%g, %g]", head->name, head->low, head->high);
  }
  for (int32_t h = 0; h < spec->discrete; ++h) {
    shoal_discrete_head* const head = &group->discrete[h];
    check(shoal_get_discrete_head(simulator, g, h, head, sizeof *head));
    printf(", %s one of %d", head->name, head->choices);
  }
  printf("\n");
  if (spec->continuous) group->reals = array(simulator, SHOAL_CONTINUOUS_ACTIONS, g);
  if (spec->discrete) group->picks = array(simulator, SHOAL_DISCRETE_ACTIONS, g);
  if (spec->masked) group->masks = array(simulator, SHOAL_MASKS, g);
}

static void draw_actions(Group* group, long rows) {
  shoal_group const* const spec = &group->spec;
  for (long row = 0; row < rows * spec->agents; ++row) {
    for (int32_t h = 0; h < spec->continuous; ++h) {
      shoal_continuous_head const* const head = &group->continuous[h];
      float const unit = (float)(random_word() >> 8) / (1 << 24);
      group->reals[row * spec->continuous + h] = head->low + unit * (head->high - head->low);
    }
    for (int32_t h = 0; h < spec->discrete; ++h) {
      shoal_discrete_head const* const head = &group->discrete[h];
      uint8_t const* const legal = group->masks ? group->masks + row * spec->choices + head->first_choice : NULL;
      int32_t pick = (int32_t)(random_word() % (uint32_t)head->choices);
      while (legal && !legal[pick]) pick = (pick + 1) % head->choices;
      group->picks[row * spec->discrete + h] = pick;
    }
  }
}

int main(int argc, char** argv) {
  char const* const environment = argc > 1 ? argv[1] : "market";
  int const steps = argc > 3 ? atoi(argv[3]) : 1000;
  shoal_options options;
  shoal_simulator* simulator;
  shoal_environment about;
  shoal_spec spec;
  Group groups[most_groups] = {0};

  check(shoal_options_init(&options, sizeof options));
  options.instances = argc > 2 ? atoi(argv[2]) : 256;
  check(shoal_create(&simulator, environment, NULL, &options));
  check(shoal_get_environment(environment, &about, sizeof about));
  check(shoal_get_spec(simulator, &spec, sizeof spec));
  printf("%s: %s\n", environment, about.summary);
  for (int32_t g = 0; g < spec.groups; ++g) describe(simulator, g, &groups[g]);

  check(shoal_reset(simulator));
  double stepping = 0;
  for (int t = 0; t < steps; ++t) {
    for (int32_t g = 0; g < spec.groups; ++g) draw_actions(&groups[g], options.instances);
    stepping -= seconds();
    check(shoal_step(simulator));
    stepping += seconds();
  }
  printf("%.3g agent-steps/s\n", (double)steps * options.instances * spec.agents / stepping);
  check(shoal_close(simulator));
  return 0;
}
