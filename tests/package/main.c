/* Steps the market through the C interface: the same game as main.cpp's, and the same hash. */
#include <shoal.h>
#include <stdio.h>
#include <string.h>

static int failed(shoal_status status) {
  if (status != SHOAL_OK) fprintf(stderr, "%s\n", shoal_last_error());
  return status != SHOAL_OK;
}

int main(void) {
  shoal_options options;
  shoal_simulator* simulator;
  shoal_array actions, rewards;
  uint64_t hash = 14695981039346656037u;

  if (failed(shoal_options_init(&options, sizeof options))) return 1;
  options.instances = 64;
  options.seed = 1;
  if (failed(shoal_create(&simulator, "market", "merchants = 3", &options))) return 1;
  if (failed(shoal_get_array(simulator, SHOAL_CONTINUOUS_ACTIONS, 0, &actions, sizeof actions))) return 1;
  if (failed(shoal_get_array(simulator, SHOAL_REWARDS, 0, &rewards, sizeof rewards))) return 1;
  if (failed(shoal_reset(simulator))) return 1;
  for (int t = 0; t < 50; ++t) {
    /* Your policy goes here: it reads SHOAL_OBSERVATIONS and writes to actions.data. */
    if (failed(shoal_step(simulator))) return 1;
    for (int64_t i = 0; i < rewards.shape[0] * rewards.shape[1]; ++i) {
      uint32_t word;
      memcpy(&word, (float*)rewards.data + i, sizeof word);
      hash = (hash ^ word) * 1099511628211u;
    }
  }
  printf("%016llx\n", (unsigned long long)hash);
  return failed(shoal_close(simulator));
}
