/* shoal.h by itself, as a C99 compiler sees it: compiled with -std=c99 -Wpedantic, called by errors_test.cpp. */
#include "shoal.h"

#include <string.h>

/* 0 if the interface works from C. */
int call_from_c99(void) {
  shoal_simulator* simulator = NULL;
  shoal_options options;
  shoal_spec spec;
  if (shoal_options_init(&options, sizeof options) != SHOAL_OK) return 1;
  options.instances = 3;
  if (shoal_create(&simulator, "matrix_game", "{\"rounds\": 4}", &options) != SHOAL_OK) return 2;
  if (shoal_get_spec(simulator, &spec, sizeof spec) != SHOAL_OK || spec.agents < 2) return 3;
  if (shoal_reset(simulator) != SHOAL_OK) return 4;
  if (shoal_close(simulator) != SHOAL_OK) return 5;
  if (shoal_step(simulator) != SHOAL_CLOSED || strstr(shoal_last_error(), "closed") == NULL) return 6;
  return 0;
}
