// Runs that train in one process, a stage of each in turn: beside each other on a GPU, a thread each on the CPU.
#pragma once

#include <vector>

#include "program/runs/progress.hpp"
#include "program/runs/training_run.hpp"
#include "shoal/core/thread_pool.hpp"

namespace shoal {

class SideBySide {
 public:
  /// The runs must live as long as this object.
  /// @param collective  the processes that train the runs together; they end together too
  explicit SideBySide(std::vector<TrainingRun>& runs, Collective collective = {});

  /// Trains all to their ends. A run that fails is named and trains no more; alone, it throws.
  /// @return whether the runs are done; false after an interrupt, when they have saved
  bool operator()();
  /// Whether a run has failed.
  bool failed() const { return failed_; }

 private:
  using Runs = std::vector<TrainingRun*>;

  template <class Work>
  void each(Runs const& runs, ThreadPool& threads, Work const& work);
  Runs unfinished() const;
  bool run_stages();
  bool is_interrupted() const;

  Runs runs_;  // that have not failed
  bool alone_, failed_ = false;
  Collective collective_;
  ThreadPool one_thread_{1}, threads_;
  Progress progress_;
};

}  // namespace shoal
