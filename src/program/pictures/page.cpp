#include "program/pictures/page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "program/pictures/raster.hpp"

namespace shoal {

namespace {

using Json = nlohmann::ordered_json;

constexpr char const* page_head = R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<style>
  body { font: 15px/1.4 system-ui, sans-serif; color: #28282e; background: #fcfcfa; margin: 24px auto; max-width: 960px;
         padding: 0 16px; }
  h1 { font-size: 18px; margin: 0 0 12px; overflow-wrap: anywhere; }
  canvas { display: block; border: 1px solid #ccccc8; border-radius: 4px; }
  .row { display: flex; gap: 10px; align-items: center; margin: 10px 0; flex-wrap: wrap; }
  .row input[name=frame] { flex: 1; min-width: 160px; }
  button { font: inherit; min-width: 40px; }
  pre, td, th, output { font: 13px/1.5 ui-monospace, monospace; white-space: pre; }
  td, th { text-align: right; padding: 0 10px; }
  th { font-weight: 600; border-bottom: 1px solid #ccccc8; }
</style>
)html";

constexpr char const* body = R"html(<canvas></canvas>
<div class="row">
  <button name="back" title="one frame back (left arrow)">&#9664;</button>
  <button name="play" title="play or pause (space)">play</button>
  <button name="forth" title="one frame on (right arrow)">&#9654;</button>
  <input name="frame" type="range" min="0" value="0" aria-label="frame">
  <label>speed <input name="speed" type="range" min="-1" max="1.7" step="0.05"></label>
  <output name="speed"></output>
</div>
<output name="where"></output>
<pre></pre>
<table></table>
)html";

constexpr char const* script = R"js(
const data = JSON.parse(document.querySelector('#data').textContent), frames = data.frames;
const find = (selector) => document.querySelector(selector);
const canvas = find('canvas'), paint = canvas.getContext('2d'), slider = find('input[name=frame]');
const speed = find('input[name=speed]'), button = find('button[name=play]');
const ratio = Math.max(window.devicePixelRatio || 1, 1);
let at = 0, timer = null;

function draw(d, unit) {
  paint.setTransform(1, 0, 0, 1, 0, 0);
  paint.fillStyle = '#fcfcfa';
  paint.fillRect(0, 0, canvas.width, canvas.height);
  paint.setTransform(unit * ratio, 0, 0, unit * ratio, 0, 0);
  const gap = unit >= 8 ? 1 / unit : 0;
  d.cells.forEach((color, i) => {
    paint.fillStyle = d.colors[color];
    paint.fillRect(i % d.columns, Math.floor(i / d.columns), 1 - gap, 1 - gap);
  });
  for (const [x0, y0, x1, y1, width, color] of d.lines) {
    paint.strokeStyle = d.colors[color];
    paint.lineWidth = width;
    paint.beginPath();
    paint.moveTo(x0, y0);
    paint.lineTo(x1, y1);
    paint.stroke();
  }
  for (const [x, y, radius, color] of d.discs) {
    paint.fillStyle = d.colors[color];
    paint.beginPath();
    paint.arc(x, y, radius, 0, 2 * Math.PI);
    paint.fill();
  }
  // Letters half a unit wide, or of a size that is pleasant to read where there is room.
  const size = Math.max(Math.min(0.83, 20 / unit), 10 / unit);
  paint.font = size + 'px ui-monospace, monospace';
  paint.textBaseline = 'middle';
  for (const [x, y, text, color, inside] of d.labels) {
    paint.fillStyle = d.colors[color];
    paint.textAlign = inside ? 'center' : 'left';
    paint.fillText(text, x, y);
  }
}

function show(i) {
  at = Math.min(Math.max(i, 0), frames.length - 1);
  const f = frames[at], d = f.drawing;
  const unit = Math.min((document.body.clientWidth - 32) / d.width, 560 / d.height, 80);
  canvas.width = d.width * unit * ratio;
  canvas.height = d.height * unit * ratio;
  canvas.style.width = d.width * unit + 'px';
  draw(d, unit);
  slider.value = at;
  find('output[name=where]').value =
      `frame ${at + 1} of ${frames.length}   episode ${f.episode}, step ${f.step} of at most ${data.most_steps}` +
      (f.ended ? ', ' + f.ended : '');
  find('pre').textContent = d.text.join('\n');
  const row = (tag, cells) => '<tr>' + cells.map((x) => `<${tag}>${x}</${tag}>`).join('') + '</tr>';
  find('table').innerHTML = row('th', ['agent', 'reward', 'return']) +
      f.rewards.map((r, k) => row('td', [k + 1, r, f.returns[k]])).join('');
}

function pause() {
  clearTimeout(timer);
  timer = null;
  button.textContent = 'play';
}
function tick() {
  if (at === frames.length - 1) return pause();
  show(at + 1);
  timer = setTimeout(tick, 1000 / 10 ** speed.value + (frames[at].ended ? 1000 : 0));
}
function play() {
  if (timer) return pause();
  button.textContent = 'pause';
  if (at === frames.length - 1) show(0);
  timer = setTimeout(tick, 1000 / 10 ** speed.value);
}
function step(by) {
  pause();
  show(at + by);
}
function tell_speed() { find('output[name=speed]').value = (10 ** speed.value).toPrecision(2) + ' frames/s'; }

slider.max = frames.length - 1;
speed.value = Math.log10(data.fps);
tell_speed();
slider.oninput = () => { pause(); show(+slider.value); };
speed.oninput = tell_speed;
button.onclick = play;
find('button[name=back]').onclick = () => step(-1);
find('button[name=forth]').onclick = () => step(1);
window.onresize = () => show(at);
document.onkeydown = (event) => {
  if (event.target.tagName === 'INPUT' || event.target.tagName === 'BUTTON' && event.key === ' ') return;
  if (event.key === 'ArrowLeft') step(-1);
  if (event.key === 'ArrowRight') step(1);
  if (event.key === ' ') { event.preventDefault(); play(); }
};
show(0);
)js";

std::string html(std::string const& text) {
  std::string escaped;
  for (char const c : text) escaped += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
  return escaped;
}

/// Four significant digits: fewer characters, and no digits that are a float's rounding.
Json number(float x) { return Json::parse(fmt::format("{:.4g}", x), nullptr, false); }

Json numbers(std::vector<float> const& values) {
  auto list = Json::array();
  for (float const x : values) list.push_back(number(x));
  return list;
}

/// The colors of a drawing, each once.
class ColorTable {
 public:
  int operator()(Color c) {
    auto const text = fmt::format("#{:02x}{:02x}{:02x}", c.r, c.g, c.b);
    auto const at = std::size_t(std::find(names_.begin(), names_.end(), text) - names_.begin());
    if (at == names_.size()) names_.push_back(text);
    return int(at);
  }
  std::vector<std::string> const& names() const { return names_; }

 private:
  std::vector<std::string> names_;
};

Json to_json(Drawing const& d) {
  ColorTable color;
  Json json{{"width", number(d.width)}, {"height", number(d.height)}, {"columns", d.cells.columns}};
  for (char const* key : {"cells", "lines", "discs", "labels"}) json[key] = Json::array();
  for (auto const c : d.cells.colors) json["cells"].push_back(color(c));
  for (auto const& l : d.lines) {
    auto line = numbers({l.x0, l.y0, l.x1, l.y1, l.width});
    line.push_back(color(l.color));
    json["lines"].push_back(std::move(line));
  }
  for (auto const& x : d.discs) {
    auto disc = numbers({x.x, x.y, x.radius});
    disc.push_back(color(x.color));
    json["discs"].push_back(std::move(disc));
    if (!x.label.empty())
      json["labels"].push_back({number(x.x), number(x.y), x.label, color(readable_on(x.color)), true});
  }
  for (auto const& l : d.labels) json["labels"].push_back({number(l.x), number(l.y), l.text, color(l.color), false});
  json["colors"] = color.names();
  json["text"] = d.text;
  return json;
}

/// JSON that can stand in a <script>.
std::string dump(Json const& json) {
  auto text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos;) text.replace(at, 1, "\\u003c");
  return text;
}

}  // namespace

Page::Page(Title title, double fps) : title_(std::move(title)), fps_(fps) {}

void Page::add(Frame const& frame) {
  auto const end = frame.ended == Ended::no ? "" : frame.ended == Ended::terminated ? "terminated" : "truncated";
  frames_.push_back(dump({{"episode", frame.episode},
                          {"step", frame.step},
                          {"ended", end},
                          {"rewards", numbers(frame.rewards)},
                          {"returns", numbers(frame.returns)},
                          {"drawing", to_json(frame.drawing)}}));
}

std::string Page::finish() const {
  auto const title = html(title_.text);
  return fmt::format(
      "{}<title>{}</title>\n<h1>{}</h1>\n{}<script type=\"application/json\" id=\"data\">\n{{\"most_steps\":{},"
      "\"fps\":{},\"frames\":[\n{}\n]}}\n</script>\n<script>{}</script>\n</html>\n",
      page_head, title, title, body, title_.most_steps, fps_, fmt::join(frames_, ",\n"), script);
}

}  // namespace shoal
