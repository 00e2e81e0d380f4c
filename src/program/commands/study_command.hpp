// `shoal study`: a grid of experiments, methods and seeds, run and compared.
#pragma once

#include <string>

#include "shoal/data/collective.hpp"

namespace shoal {

struct StudyCommand {
  std::string file = {};       // STUDY.toml
  std::string out = {};        // empty: runs/NAME
  int jobs = 0;                // processes at once; 0: one a core, on CUDA one
  int batch = 0;               // seeds that a process trains side by side; 0: one, on CUDA all of a cell
  std::string program;         // the path of `shoal`, which runs the cells
  Collective collective = {};  // the programs that share the runs
};

/// @return the exit code: 0, 1 if a run failed or was left out, 130 after an interrupt
int study(StudyCommand const& command);

}  // namespace shoal
