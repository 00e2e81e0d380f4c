// The learners' kernels write the CPU's bits: the same inputs go through the body with one lane, and through a launch.
// (Inference on tensor cores does not: infer_test.cpp.)
#include <cmath>

#include "on_device.hpp"
#include "shoal/ops/launch.hpp"

namespace shoal {

namespace {

/// An array on the host and its copy on the device.
template <class T>
struct Pair {
  Pair(std::vector<T> values) : host(std::move(values)), device(host) {}
  explicit Pair(std::size_t count) : host(count), device(count) {}

  std::vector<T> host;
  cuda::DeviceBuffer<T> device;
};

template <class T>
T* host(Pair<T>& pair) {
  return pair.host.data();
}
template <class T>
T* device(Pair<T>& pair) {
  return pair.device.data();
}

template <class T>
void expect_same(char const* name, Pair<T>& pair) {
  SHOAL_CUDA_CHECK(cudaDeviceSynchronize());
  auto const there = to_host(view(pair.device.data(), pair.host.size()));
  EXPECT_EQ(difference(name, pair.host, there, int(pair.host.size()), 1), "");
}

std::vector<float> normals(std::size_t count, std::uint32_t seed) {
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(Random{seed, 0, 0, 0}.draw(Purpose::test, std::uint32_t(i)).normal(0));
  return values;
}

/// Values below `below`, from a table of random words.
template <class T>
std::vector<T> below(std::size_t count, std::uint32_t below, std::uint32_t seed) {
  std::vector<T> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(T(Random{seed, 1, 0, 0}.draw(Purpose::test, std::uint32_t(i)).w[0] % below));
  return values;
}

}  // namespace

class LearnerKernels : public CudaTest {};

TEST_F(LearnerKernels, Gae) {
  constexpr int steps = 17;
  constexpr std::size_t columns = 777, size = steps * columns;
  Pair<float> rewards(normals(size, 1)), values(normals(size + columns, 2)), final_values(normals(size, 3));
  Pair<std::uint8_t> ended(below<std::uint8_t>(size, 6, 4));
  for (auto& e : ended.host) e = e < 3 ? e : 0;
  ended = Pair<std::uint8_t>(ended.host);
  Pair<float> advantages(size), returns(size);
  auto const args = [&](auto of) {
    return GaeArgs{.steps = steps,
                   .columns = columns,
                   .discount = 0.97f,
                   .lambda = 0.9f,
                   .rewards = of(rewards),
                   .values = of(values),
                   .final_values = of(final_values),
                   .ended = of(ended),
                   .advantages = of(advantages),
                   .returns = of(returns)};
  };
  auto const here = args([](auto& pair) { return host(pair); });
  for (std::size_t c = 0; c < columns; ++c) gae_column(here, std::int64_t(c));
  cuda::gae(args([](auto& pair) { return device(pair); }), nullptr);
  expect_same("advantages", advantages);
  expect_same("returns", returns);
}

TEST_F(LearnerKernels, Standardize) {
  for (std::size_t count : {1u, 100u, 10000u}) {
    SCOPED_TRACE(count);
    Pair<float> values(normals(2 * count, 5));
    Pair<std::int64_t> index(count);
    for (std::size_t i = 0; i < count; ++i) index.host[i] = std::int64_t(2 * (count - 1 - i) + i % 2);  // each once
    index = Pair<std::int64_t>(index.host);
    Pair<double> partials(16);
    auto const args = [&](auto of) {
      return StandardizeArgs{
          .values = of(values), .index = of(index), .count = std::int64_t(count), .partials = of(partials)};
    };
    auto const here = args([](auto& pair) { return host(pair); });
    for (std::int64_t c = 0; c < here.chunks(); ++c) chunk_moments(SerialTeam{}, here, c);
    fold_moments(SerialTeam{}, here);
    for (std::int64_t i = 0; i < here.count; ++i) standardize_element(here, i);
    cuda::standardize(args([](auto& pair) { return device(pair); }), nullptr);
    expect_same("values", values);
  }
}

TEST_F(LearnerKernels, Gather) {
  constexpr std::size_t from_rows = 500, rows = 321;
  constexpr int widths[] = {1, 4, 7, 84, 260};
  Pair<std::int64_t> index(below<std::int64_t>(rows, from_rows, 6));
  std::vector<Pair<std::uint8_t>> from, to;
  for (int const width : widths) {
    from.emplace_back(below<std::uint8_t>(from_rows * std::size_t(width), 256, std::uint32_t(width)));
    to.emplace_back(rows * std::size_t(width));
  }
  auto const args = [&](auto of, std::int64_t const* chosen) {
    GatherArgs a{};
    a.count = int(from.size());
    for (int f = 0; f < a.count; ++f) a.fields[f] = {of(from[std::size_t(f)]), of(to[std::size_t(f)]), widths[f]};
    a.index = chosen;
    a.rows = rows;
    return a;
  };
  auto const here = args([](auto& pair) { return host(pair); }, index.host.data());
  for (std::size_t row = 0; row < rows; ++row) gather_row(SerialTeam{}, here, std::int64_t(row));
  cuda::gather(args([](auto& pair) { return device(pair); }, index.device.data()), nullptr);
  for (auto& field : to) expect_same("field", field);
}

TEST_F(LearnerKernels, PpoLoss) {
  ActionLayout layout{.continuous = 2, .discrete = 2, .choices = {5, 3}, .total_choices = 8};
  constexpr std::size_t samples = 900, rows = 701;
  Pair<std::int64_t> index(below<std::int64_t>(rows, samples, 1));
  Pair<float> old_parameters(normals(samples * 10, 2)), old_log_p(normals(samples, 3)), advantages(normals(samples, 4));
  Pair<float> returns(normals(samples, 5)), continuous(normals(samples * 2, 6)), parameters(normals(rows * 10, 7));
  Pair<float> values(normals(rows, 8)), log_sd(normals(2, 9)), old_log_sd(normals(2, 10)),
      kl_coefficient(normals(1, 11));
  Pair<std::int32_t> discrete(below<std::int32_t>(samples * 2, 3, 12));
  Pair<std::uint8_t> masks(below<std::uint8_t>(samples * 8, 2, 13));
  for (std::size_t s = 0; s < samples; ++s) {
    masks.host[s * 8 + std::size_t(discrete.host[s * 2])] = 1;
    masks.host[s * 8 + 5 + std::size_t(discrete.host[s * 2 + 1])] = 1;
  }
  masks = Pair<std::uint8_t>(masks.host);
  Pair<float> d_parameters(rows * 10), d_values(rows), d_log_sd(rows * 2);
  Pair<PpoTerms> terms(rows);
  auto const args = [&](auto of) {
    return PpoLossArgs{.layout = layout,
                       .clip = 0.2f,
                       .value_weight = 0.5f,
                       .entropy_weight = 0.01f,
                       .scale = 1.0f / float(rows),
                       .kl_coefficient = of(kl_coefficient),
                       .log_sd = of(log_sd),
                       .old_log_sd = of(old_log_sd),
                       .index = of(index),
                       .rows = std::int64_t(rows),
                       .old_parameters = of(old_parameters),
                       .old_log_probabilities = of(old_log_p),
                       .advantages = of(advantages),
                       .returns = of(returns),
                       .continuous = of(continuous),
                       .discrete = of(discrete),
                       .masks = of(masks),
                       .outputs = {.parameters = of(parameters),
                                   .values = of(values),
                                   .d_parameters = of(d_parameters),
                                   .d_values = of(d_values),
                                   .d_log_sd = of(d_log_sd),
                                   .terms = of(terms),
                                   .parameter_stride = 10,
                                   .value_stride = 1}};
  };
  auto const here = args([](auto& pair) { return host(pair); });
  std::vector<NormalHead> const heads{normal_head(here, 0), normal_head(here, 1)};
  for (std::size_t row = 0; row < rows; ++row) ppo_loss_rows<1>(here, heads.data(), std::int64_t(row), 1);
  cuda::ppo_loss(args([](auto& pair) { return device(pair); }), nullptr);
  expect_same("gradients of the parameters", d_parameters);
  expect_same("gradients of the values", d_values);
  expect_same("gradients of log sd", d_log_sd);
  auto const there = to_host(view(terms.device.data(), rows));
  for (std::size_t row = 0; row < rows; ++row)
    EXPECT_TRUE(there[row].policy_loss == terms.host[row].policy_loss && there[row].kl == terms.host[row].kl);
}

TEST_F(LearnerKernels, Infer) {
  MlpLayout const actor{.layers = 3, .widths = {21, 64, 40, 3}, .begin = 5};
  MlpLayout const critic{.layers = 2, .widths = {21, 33, 1}, .begin = 5 + 22 * 64 + 65 * 40 + 41 * 3};
  constexpr std::size_t rows = 1000;
  Pair<float> parameters(normals(std::size_t(critic.begin) + 22 * 33 + 34, 1)), observations(normals(rows * 21, 2));
  for (float& p : parameters.host) p *= 0.2f;
  parameters = Pair<float>(parameters.host);
  Pair<float> distribution(rows * 3), values(rows);
  auto const args = [&](auto of) {
    return InferArgs{.actor = actor,
                     .critic = critic,
                     .parameters = of(parameters),
                     .observations = of(observations),
                     .distribution = of(distribution),
                     .values = of(values),
                     .rows = rows};
  };
  auto const here = args([](auto& pair) { return host(pair); });
  std::vector<float> memory(std::size_t(here.memory()));
  infer_begin(SerialTeam{}, here, memory.data());
  for (std::int64_t tile = 0; tile * InferArgs::rows_of_tile < here.rows; ++tile)
    infer_tile(SerialTeam{}, here, memory.data(), tile);
  auto const there = args([](auto& pair) { return device(pair); });
  ASSERT_TRUE(cuda::can_infer_f32(there));
  cuda::infer_f32(there, nullptr);
  expect_same("distribution", distribution);
  expect_same("values", values);
}

TEST_F(LearnerKernels, Shuffle) {
  constexpr std::uint32_t count = 5001;
  Pair<std::int64_t> from(below<std::int64_t>(count, 1u << 30, 1)), to(count);
  Pair<std::uint32_t> stage(std::vector<std::uint32_t>{7});
  auto const args = [&](auto of) {
    return ShuffleArgs{.from = of(from), .to = of(to), .count = count, .place = {1, 2, 0, 3}, .stage = of(stage)};
  };
  auto const here = args([](auto& pair) { return host(pair); });
  for (std::uint32_t i = 0; i < count; ++i) shuffle_element(here, make_shuffle(here), i);
  cuda::shuffle(args([](auto& pair) { return device(pair); }), nullptr);
  expect_same("order", to);
}

// Three steps; powers of double precision may differ in their last bit between the host's and the device's library.
TEST_F(LearnerKernels, Adam) {
  constexpr std::size_t count = 9001;
  Pair<float> parameters(normals(count, 1)), gradients(normals(count, 2)), mean(count), variance(count);
  Pair<float> rate(std::vector<float>{1e-2f}), step(1);
  Pair<double> partials(8);
  auto const args = [&](auto of) {
    return AdamArgs{.parameters = of(parameters),
                    .gradients = of(gradients),
                    .mean = of(mean),
                    .variance = of(variance),
                    .count = count,
                    .max_norm = 0.5f,
                    .rate = of(rate),
                    .step = of(step),
                    .partials = of(partials)};
  };
  auto const here = args([](auto& pair) { return host(pair); });
  for (int k = 0; k < 3; ++k) {
    for (std::int64_t c = 0; c < here.chunks(); ++c) adam_chunk(SerialTeam{}, here, c);
    adam_prepare(SerialTeam{}, here);
    for (std::size_t i = 0; i < count; ++i) adam_element(here, std::int64_t(i));
    cuda::adam(args([](auto& pair) { return device(pair); }), nullptr);
  }
  SHOAL_CUDA_CHECK(cudaDeviceSynchronize());
  auto const there = to_host(view(parameters.device.data(), count));
  for (std::size_t i = 0; i < count; ++i) ASSERT_NEAR(there[i], parameters.host[i], 1e-6f);
}

TEST_F(LearnerKernels, Sample) {
  ActionLayout layout{.continuous = 2, .discrete = 2, .choices = {5, 3}, .total_choices = 8};
  constexpr std::size_t instances = 301, agents = 4, slots = instances * agents;
  Pair<std::uint32_t> stage(std::vector<std::uint32_t>{4});
  Pair<std::int32_t> members(std::vector<std::int32_t>{2, 0, 3});  // agent 1 belongs to another policy
  auto const rows = instances * members.host.size();
  Pair<float> parameters(normals(rows * 10, 7)), log_sd(std::vector<float>{-0.5f, 0.25f});
  Pair<std::uint8_t> masks(below<std::uint8_t>(slots * 8, 2, 8));
  for (std::size_t slot = 0; slot < slots; ++slot) masks.host[slot * 8] = masks.host[slot * 8 + 6] = 1;
  masks = Pair<std::uint8_t>(masks.host);
  Pair<float> continuous(slots * 2), log_probabilities(slots), entropies(slots), kept(slots * 10);
  Pair<std::int32_t> discrete(slots * 2);
  auto const args = [&](auto of) {
    return SampleArgs{.layout = layout,
                      .random = {.seed = 3, .instance = 0, .episode = 0, .step = 5},
                      .stage = of(stage),
                      .members = int(members.host.size()),
                      .all_agents = agents,
                      .rows = std::int64_t(rows),
                      .agents = of(members),
                      .parameters = of(parameters),
                      .log_sd = of(log_sd),
                      .masks = of(masks),
                      .continuous = of(continuous),
                      .discrete = of(discrete),
                      .log_probabilities = of(log_probabilities),
                      .entropies = of(entropies),
                      .kept_parameters = of(kept)};
  };
  auto const here = args([](auto& pair) { return host(pair); });
  for (std::size_t row = 0; row < rows; ++row) sample_row(here, std::int64_t(row));
  cuda::sample(args([](auto& pair) { return device(pair); }), nullptr);
  expect_same("continuous", continuous);
  expect_same("discrete", discrete);
  expect_same("log-probabilities", log_probabilities);
  expect_same("entropies", entropies);
  expect_same("kept parameters", kept);
}

TEST_F(LearnerKernels, NStep) {
  constexpr int steps = 17;
  constexpr std::size_t columns = 777, size = steps * columns;
  Pair<float> rewards(normals(size, 1)), returns(size), factors(size);
  Pair<std::uint8_t> ended(below<std::uint8_t>(size, 9, 2));
  for (auto& e : ended.host) e = e < 3 ? e : 0;
  ended = Pair<std::uint8_t>(ended.host);
  Pair<std::int64_t> next(size);
  auto const args = [&](auto of) {
    return NStepArgs{.steps = steps,
                     .columns = columns,
                     .n = 3,
                     .discount = 0.97f,
                     .rewards = of(rewards),
                     .ended = of(ended),
                     .returns = of(returns),
                     .factors = of(factors),
                     .next = of(next)};
  };
  auto const here = args([](auto& pair) { return host(pair); });
  for (std::size_t row = 0; row < size; ++row) nstep_row(here, std::int64_t(row));
  cuda::nstep(args([](auto& pair) { return device(pair); }), nullptr);
  expect_same("returns", returns);
  expect_same("factors", factors);
  expect_same("next", next);
}

// The last block full, with one row, and alone; each group of a block, and draws from all of them.
TEST_F(LearnerKernels, DrawRows) {
  for (std::size_t const rows : {std::size_t(1), std::size_t(700), std::size_t(4096), std::size_t(50001)})
    for (bool const stratified : {false, true}) {
      SCOPED_TRACE(rows);
      constexpr std::size_t draws = 3000;
      auto const blocks = std::size_t(DrawRowsArgs::blocks(std::int64_t(rows)));
      Pair<float> priorities(normals(rows, 1));
      for (float& p : priorities.host) p = shoal::exp(2 * p);
      priorities = Pair<float>(priorities.host);
      Pair<double> group_sums(blocks * DrawRowsArgs::groups), block_sums(blocks);
      Pair<float> least(blocks * (DrawRowsArgs::groups + 1)), weights(draws);
      Pair<std::int64_t> drawn(draws);
      auto const args = [&](auto of) {
        return DrawRowsArgs{.priorities = of(priorities),
                            .rows = std::int64_t(rows),
                            .group_sums = of(group_sums),
                            .block_sums = of(block_sums),
                            .least = of(least),
                            .random = {1, 2, 3, 4},
                            .stratified = stratified,
                            .beta = 0.4f,
                            .draws = draws,
                            .drawn = of(drawn),
                            .weights = of(weights)};
      };
      auto const here = args([](auto& pair) { return host(pair); });
      for (std::int64_t b = 0; b < here.blocks(); ++b) sum_block<1>(SerialTeam{}, here, b);
      fold_blocks(here);
      for (std::size_t i = 0; i < draws; ++i) draw_row(here, std::int64_t(i));
      cuda::draw_rows(args([](auto& pair) { return device(pair); }), nullptr);
      expect_same("sums of groups", group_sums);
      expect_same("sums of blocks", block_sums);
      expect_same("least priorities", least);
      expect_same("rows", drawn);
      expect_same("weights", weights);
    }
}

TEST_F(LearnerKernels, UpdatePriorities) {
  constexpr std::size_t capacity = 1000, count = 5000;
  Pair<float> priorities(normals(capacity, 1)), largest(std::vector<float>{1}), errors(normals(count, 2));
  for (float& p : priorities.host) p = shoal::exp(p);
  priorities = Pair<float>(priorities.host);
  errors.host[7] = std::nanf("");
  errors = Pair<float>(errors.host);
  Pair<std::int64_t> rows(below<std::int64_t>(count, capacity, 3));  // each several times
  auto const update = [&](auto of) {
    return UpdatePrioritiesArgs{.ring = {of(priorities), std::int64_t(capacity), 0.6f, of(largest)},
                                .overwritten_first = 900,
                                .overwritten = 200,
                                .rows = of(rows),
                                .errors = of(errors),
                                .count = count};
  };
  auto const here = update([](auto& pair) { return host(pair); });
  for (std::size_t i = 0; i < count; ++i) clear_priority(here, std::int64_t(i));
  for (std::size_t i = 0; i < count; ++i) raise_priority(here, std::int64_t(i));
  auto const there = update([](auto& pair) { return device(pair); });
  cuda::update_priorities(there, nullptr);
  expect_same("priorities", priorities);
  expect_same("the largest", largest);
  NewPrioritiesArgs added{.ring = here.ring, .first = 950, .count = 100, .errors = nullptr};
  for (std::int64_t i = 0; i < added.count; ++i) new_priority(added, i);
  added.ring = there.ring;
  cuda::new_priorities(added, nullptr);
  expect_same("priorities with new ones", priorities);
}

}  // namespace shoal
