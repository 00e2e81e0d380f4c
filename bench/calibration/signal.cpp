// How much of a particle's r_cal is its increment, and how far a calibrator's update points the same way twice.
//
//   calibration_signal RUN [SPREAD] > signal.md        RUN: a calibrated run's folder, by `shoal train`
//
// At the initial profile and at the run's answer, under the run's policies, frozen:
// - the variance of r_cal over particles, and its parts: increments (between profiles, over repeated episodes), the draw of the
//   environment (types, customers, prices), and the policies' exploration with the rest;
// - the cosine between the update that so many particles propose and one that an independent 16,384 in pairs on common random
//   numbers propose, for estimates without pairs, with mirrored pairs, and with mirrored pairs on common random numbers. Mean of 8.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "program/runs/stored_run.hpp"

namespace {

using namespace shoal;

constexpr int repeats = 8, reference_particles = 16384;
enum class Scheme { independent, mirrored, common };

class Lab {
 public:
  Lab(std::string const& folder, double spread)
      : run_(load_trained(RunDirectory::open(folder), {})), spread_(spread), config_(run_.config.trainer) {}

  ProfileSpace const& space() const { return run_.trainer.calibrator()->space(); }
  at::Tensor answer() const { return (run_.trainer.answer() - space().low()) / space().range(); }

  /// r_cal of an episode of each unit profile, [B].
  at::Tensor r_cal(at::Tensor const& unit, std::uint32_t draw_seed, std::uint32_t action_seed, int common) const {
    auto config = config_;
    config.train.instances = int(unit.size(0));
    config.train.seed = draw_seed;
    auto const device = run_.trainer.device();
    auto const simulator = make_simulator(config, device, nullptr, common);
    auto const slot = make_rollout(rollout_shape(*simulator, 1), device);
    std::vector<std::unique_ptr<Actor>> policies;
    for (auto const& learner : run_.trainer.learners()) {
      policies.push_back(learner->actor().copy(slot.shape, action_seed));
      policies.back()->set_common(common);
    }
    space().write(space().scaled(unit), tensor_of(simulator->supertypes(), device));
    simulator->reset(slot.first());
    auto out = slot.output(0);
    out.observations = slot.first().observations;
    out.masks = slot.first().masks;
    for (int t = 0; t < simulator->spec().max_episode_steps; ++t) {
      for (auto& policy : policies) policy->begin(t), policy->act(slot, 0);
      simulator->step(slot.input(0), out);
    }
    return calibration_reward(run_.trainer.goal(), mean_metrics(*simulator, device)).to(at::kDouble);
  }

  at::Tensor increments(int particles, std::uint32_t seed) const {
    at::manual_seed(seed);
    return spread_ * at::randn({particles, space().size()});
  }

  /// The gradient that a batch of particles proposes.
  at::Tensor update(at::Tensor const& mean, int particles, Scheme scheme, std::uint32_t seed) const {
    auto steps = increments(particles, seed);
    if (scheme != Scheme::independent) {
      auto const half = steps.narrow(0, 0, particles / 2);
      steps = at::stack({half, -half}, 1).flatten(0, 1);
    }
    auto const points = (mean + steps).clamp(0, 1);
    auto const r = r_cal(points, seed, seed + 1, scheme == Scheme::common ? 2 : 1);
    return at::mv((points - mean).t().to(at::kDouble), r - r.mean());
  }

 private:
  StoredRun run_;
  double spread_;
  TrainerConfig config_;
};

void print_parts(Lab const& lab, char const* where, at::Tensor const& mean) {
  constexpr int profiles = 256, episodes = 64;
  auto const points = (mean + lab.increments(profiles, 7)).clamp(0, 1);
  auto const rows = points.repeat_interleave(episodes, 0);
  auto const r = lab.r_cal(rows, 8, 9, 1).view({profiles, episodes});
  double const within = r.var(1).mean().item<double>();
  double const increments = r.mean(1).var().item<double>() - within / episodes;
  // The same draws with other actions: what they share is the draw's part.
  auto const middle = mean.expand({4096, -1});
  auto const a = lab.r_cal(middle, 10, 11, 1), b = lab.r_cal(middle, 10, 12, 1);
  double const draw = ((a - a.mean()) * (b - b.mean())).mean().item<double>();
  double const rest = (a - b).var().item<double>() / 2;
  double const all = increments + draw + rest;
  fmt::print("| {} | {:.4f} | {:.5f} | {:.1f} % | {:.1f} % | {:.1f} % |\n", where, a.mean().item<double>(), all,
             100 * increments / all, 100 * draw / all, 100 * rest / all);
}

void print_cosines(Lab const& lab, char const* where, at::Tensor const& mean) {
  auto const reference = lab.update(mean, reference_particles, Scheme::common, 99);
  for (int const particles : {16, 64, 256, 1024, 4096}) {
    fmt::print("| {} | {} |", where, particles);
    for (auto const scheme : {Scheme::independent, Scheme::mirrored, Scheme::common}) {
      double cosine = 0;
      for (int i = 0; i < repeats; ++i)
        cosine += at::cosine_similarity(lab.update(mean, particles, scheme, std::uint32_t(1000 + i)), reference, 0)
                      .item<double>() /
                  repeats;
      fmt::print(" {:.2f} |", cosine);
    }
    fmt::print("\n");
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) throw InputError("calibration_signal RUN [SPREAD]");
  at::NoGradGuard const no_grad;
  Lab const lab(argv[1], argc > 2 ? std::stod(argv[2]) : 0.05);
  auto const initial = lab.space().initial();
  fmt::print(
      "| profile | r_cal | variance | increments | draw | exploration and rest |\n|---|---:|---:|---:|---:|---:|\n");
  print_parts(lab, "initial", initial);
  print_parts(lab, "answer", lab.answer());
  fmt::print(
      "\n| profile | particles | independent | mirrored | mirrored, common random numbers "
      "|\n|---|---:|---:|---:|---:|\n");
  print_cosines(lab, "initial", initial);
  print_cosines(lab, "answer", lab.answer());
} catch (std::exception const& error) {
  fmt::print(stderr, "calibration_signal: {}\n", error.what());
  return 2;
}
