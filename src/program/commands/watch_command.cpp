#include "program/commands/watch_command.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <thread>

#include "program/config/run_config.hpp"
#include "program/pictures/episodes.hpp"
#include "program/pictures/gif.hpp"
#include "program/pictures/page.hpp"
#include "program/pictures/terminal_picture.hpp"
#include "program/runs/console.hpp"
#include "program/runs/interrupt.hpp"
#include "program/runs/stored_run.hpp"
#include "program/runs/text_file.hpp"
#include "shoal/core/text.hpp"
#include "shoal/env/backend.hpp"

namespace shoal {

namespace {

namespace fs = std::filesystem;

constexpr int most_frames = 100000;  // of a file

void check_file(char const* option, std::string const& path) {
  if (path.empty()) return;
  if (fs::exists(path) && !fs::is_regular_file(path))
    throw InputError(fmt::format("{} {}: expected a file, or a name that is free", option, path));
  check_writable(option, path);
}

void check(WatchCommand const& command) {
  if (command.episodes < 1)
    throw InputError(fmt::format("--episodes = {}: expected an integer of at least 1", command.episodes));
  if (!(command.fps >= 0.1 && command.fps <= 50))
    throw InputError(fmt::format("--fps = {}: expected a real in [0.1, 50]", command.fps));
  if (!command.gif.empty() && !command.page.empty()) throw InputError("--gif: excludes --page");
  check_file("--gif", command.gif);
  check_file("--page", command.page);
}

// ---- What is played -------------------------------------------------------------------------------------------------

using Show = std::function<bool(Title const&, Frame const&)>;

void check_drawn(Simulator const& simulator, std::string const& environment) {
  if (!simulator.can_draw())
    throw InputError(
        fmt::format("watch: environment \"{}\" does not say how it is drawn; expected one with draw()", environment));
}

bool watch_game(FrozenGame const& game, std::string const& environment, std::string const& title,
                WatchCommand const& command, Show const& show) {
  auto const simulator = game.make_simulator(1, command.seed, {});
  check_drawn(*simulator, environment);
  Title const about{title, simulator->spec().max_episode_steps};
  return show_episodes(game, command.episodes, command.seed, [&](Frame const& frame) { return show(about, frame); });
}

/// Uniform random play, under the environment's initial profile.
bool watch_environment(WatchCommand const& command, Show const& show) {
  auto const& name = command.what;
  auto const file = parse_config(fmt::format("[env]\nname = \"{}\"\n", name), "watch", command.overrides);
  for (auto const& [section, settings] : file.sections)
    if (section != "env") throw InputError(fmt::format("--set {}: expected env.key=value", section));
  auto const params = resolve(file).trainer.env;
  auto const make = [&](int instances, std::uint32_t seed, Collective const& /*alone*/) {
    return make_simulator(name, params, {.instances = instances, .seed = seed});
  };
  auto const spec = make(1, 0, {})->spec();
  auto const values = initial_supertypes(spec, 1);
  FrozenGame const game{
      .make_simulator = make,
      .policies = {},
      .supertypes = at::tensor(values).view({1, std::int64_t(spec.supertypes.size()), spec.coordinates()}),
      .device = at::kCPU};
  return watch_game(game, name, name + ", uniform random play", command, show);
}

/// The run's policies, under the profile that it stands for.
bool watch_run(WatchCommand const& command, Show const& show) {
  if (!command.overrides.empty())
    throw InputError(fmt::format(
        "--set {}: expected an environment's name before it; a run is played as it was trained", command.overrides[0]));
  auto const run = load_trained(RunDirectory::open(command.what), {"train.device=cpu", "train.threads=1"});
  auto const& trainer = run.trainer;
  auto const game = trainer.frozen_game(trainer.calibrator() ? trainer.answer().unsqueeze(0) : at::Tensor());
  auto const& environment = run.config.trainer.environment;
  auto const title =
      fmt::format("{}, {} after {} stages", environment, printable(command.what, 60), trainer.next_stage());
  return watch_game(game, environment, title, command, show);
}

bool watch_all(WatchCommand const& command, Show const& show) {
  std::vector<std::string> known;
  for (auto const& info : environments()) known.push_back(info.name);
  if (std::find(known.begin(), known.end(), command.what) != known.end()) return watch_environment(command, show);
  if (!fs::exists(command.what))
    throw InputError(fmt::format("watch {}: expected one of {}, or the folder of a run", printable(command.what, 200),
                                 fmt::join(known, ", ")));
  return watch_run(command, show);
}

// ---- Where it is shown ----------------------------------------------------------------------------------------------

/// At once, so that who watches sees it and a reader who has gone is noticed.
void put(std::string const& text) {
  std::fputs(text.c_str(), stdout);
  finish_output();
}

Terminal this_terminal() {
  Terminal terminal;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 1)
    terminal.columns = size.ws_col, terminal.rows = size.ws_row;
  char const* const colors = std::getenv("COLORTERM");
  terminal.true_color = colors && (std::string_view(colors) == "truecolor" || std::string_view(colors) == "24bit");
  return terminal;
}

/// Frames in the place of each other.
class Screen {
 public:
  explicit Screen(double fps) : wait_(1 / fps) { put("\x1b[?25l"); }
  ~Screen() {
    std::fputs("\x1b[?25h", stdout);
    std::fflush(stdout);
  }

  bool show(Title const& title, Frame const& frame) {
    auto const lines = terminal_picture(caption(title, frame), frame.drawing, this_terminal());
    auto text = height_ > 0 ? fmt::format("\x1b[{}A\r", height_) : "";
    for (auto const& line : lines) text += line + "\x1b[K\n";
    put(text + "\x1b[J");
    height_ = lines.size();
    pause(frame.ended == Ended::no ? wait_ : wait_ + 1);
    return !interrupted();
  }

 private:
  /// Wakes up for interrupts.
  static void pause(double seconds) {
    constexpr double nap = 0.05;
    for (; seconds > 0 && !interrupted(); seconds -= nap)
      std::this_thread::sleep_for(std::chrono::duration<double>(std::min(seconds, nap)));
  }

  double wait_;
  std::size_t height_ = 0;  // of the frame that is there
};

bool show_on_terminal(WatchCommand const& command) {
  std::optional<Screen> screen;
  return watch_all(command, [&](Title const& title, Frame const& frame) {
    if (!screen) screen.emplace(command.fps);
    return screen->show(title, frame);
  });
}

bool print_plainly(WatchCommand const& command) {
  return watch_all(command, [&](Title const& title, Frame const& frame) {
    put(fmt::format("{}\n\n", fmt::join(plain_picture(caption(title, frame), frame.drawing), "\n")));
    return !interrupted();
  });
}

/// @tparam Picture  Gif or Page
template <class Picture>
bool write_picture(WatchCommand const& command, char const* option, std::string const& path) {
  std::optional<Picture> picture;
  int frames = 0;
  bool const whole = watch_all(command, [&](Title const& title, Frame const& frame) {
    if (!picture) picture.emplace(title, command.fps);
    if (++frames > most_frames)
      throw InputError(fmt::format("{} {}: more than {} frames; expected fewer --episodes, or shorter ones", option,
                                   path, most_frames));
    picture->add(frame);
    return !interrupted();
  });
  if (!whole) return false;
  write_text(path, picture->finish());
  fmt::print("{}: {} frames\n", path, frames);
  return true;
}

bool watch_somewhere(WatchCommand const& command) {
  if (!command.gif.empty()) return write_picture<Gif>(command, "--gif", command.gif);
  if (!command.page.empty()) return write_picture<Page>(command, "--page", command.page);
  return is_live_terminal(STDOUT_FILENO) ? show_on_terminal(command) : print_plainly(command);
}

}  // namespace

int watch(WatchCommand const& command) {
  check(command);
  catch_interrupts();
  if (watch_somewhere(command)) return 0;
  if (!command.gif.empty() || !command.page.empty()) fmt::print("interrupted; nothing was written\n");
  return 130;
}

}  // namespace shoal
