// A plugin as an older version of shoal would have made it, and, without OLD_PLUGIN, a library that is none.
#ifdef OLD_PLUGIN
struct {
  char const* interface;
  void* entry;
} const plugin = {"0.1.0-0123abcd", nullptr};

extern "C" void const* shoal_plugin() { return &plugin; }
#endif
