// A study: experiments x methods x seeds, each cell a run of `shoal train`. STUDY.toml has [study], [[experiment]] and
// [[method]].
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "program/config/config.hpp"
#include "program/config/run_config.hpp"

namespace shoal {

/// Section [study].
struct StudyOptions {
  List<std::int64_t, 1024> seeds = {};
  std::string reference = {};
  int threads = 1;

  template <class Visit>
  static void fields(Visit& visit, StudyOptions& o) {
    visit("seeds", o.seeds, Range{0, 4294967295.0}, "train.seed of the runs of every experiment and method");
    visit("reference", o.reference, "the method that the others are compared with, seed by seed; empty: the first");
    visit("threads", o.threads, Range{1, 4096}, "CPU threads of a run; results do not depend on it");
  }
};

/// One [[experiment]].
struct ExperimentOptions {
  std::string name = {}, config = {};
  std::vector<std::string> set = {};

  template <class Visit>
  static void fields(Visit& visit, ExperimentOptions& o) {
    visit("name", o.name, "in tables and as the name of a folder");
    visit("config", o.config, "a configuration, relative to the study's file");
    visit("set", o.set, "overrides as of `shoal train --set`: \"section.key=value\"");
  }
};

/// One [[method]].
struct MethodOptions {
  std::string name = {};
  std::vector<std::string> set = {};

  template <class Visit>
  static void fields(Visit& visit, MethodOptions& o) {
    visit("name", o.name, "in tables and as the name of a folder");
    visit("set", o.set, "overrides, in place of those that the experiment has of the same keys");
  }
};

struct Study {
  StudyOptions options;
  std::vector<ExperimentOptions> experiments;  // their configurations exist; paths from the working directory
  std::vector<MethodOptions> methods;
  Config source;  // where each key stands; sections are "study", "experiment[1]", "method[1]", ...
};

/// @throws InputError in one line naming file, line, key and what was expected
Study parse_study(std::string const& text, std::string const& name);

/// One experiment with one method: its runs differ by their seeds only.
struct StudyCell {
  std::string experiment, method;
  std::string config;                  // path
  std::vector<std::string> overrides;  // the experiment's but for the method's keys, then the method's
  std::optional<RunConfig> run = {};   // what they resolve to
  std::optional<Spec> spec = {};       // its environment's
  std::string problem = {};            // why they do not
};

/// All cells, methods innermost. A configuration that is at fault itself is its cell's problem.
/// @throws InputError naming the study's file and line for an override at fault
std::vector<StudyCell> resolve_cells(Study const& study);

}  // namespace shoal
