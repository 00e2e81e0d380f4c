#include "program/commands/reach_command.hpp"

#include <fmt/format.h>

#include "program/config/run_config.hpp"
#include "program/runs/console.hpp"
#include "shoal/train/reachable.hpp"

namespace shoal {

int reach(std::string const& path, std::vector<std::string> const& overrides) {
  auto config = resolve(read_config(path, overrides));
  if (!config.trainer.calibrator) throw InputError(fmt::format("{}: no [calibrator], so nothing to reach", path));
  // One episode an instance and iteration: the search needs more of them than training does.
  config.trainer.train.instances = std::max(config.trainer.train.instances, 512);
  // The search is its own calibrator; instances that share random numbers would be fewer episodes.
  config.trainer.calibrator->kind = CalibratorKind::fixed;
  config.trainer.calibrator->profile.clear();
  config.trainer.validation.reset();
  warn_about_threads("train.threads", choose_threads(config.trainer.train.threads));
  Trainer trainer(config.trainer);
  auto const fit = find_reachable_fit(trainer, [](int i, int count, double r_cal) {
    if (is_live_terminal())
      tell(fmt::format("\rsearch {}/{}  r_cal of the best quarter {:.3f}\x1b[K{}", i, count, r_cal,
                       i == count ? "\n" : ""),
           0);
  });
  fmt::print("{:<32} {:>10} {:>10} {:>10}\n", "metric", "target", "reachable", "error");
  for (auto const& t : fit.targets)
    fmt::print("{:<32} {:>10.4g} {:>10.4g} {:>+10.4f}\n", t.name, t.target, t.value, t.value - t.target);
  fmt::print("\nprofile\n");
  for (auto const& c : fit.profile) fmt::print("  {:<30} {:.3f}\n", c.name, c.mean);
  fmt::print("\nr_cal {:.4f} reachable by direct simulation, all agents acting alike; {:.4f} at the initial profile\n",
             fit.r_cal, fit.r_cal_initial);
  return 0;
}

}  // namespace shoal
