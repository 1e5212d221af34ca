// A sweep along v. Between two successive events (vertices, row limits) the edges run straight through a
// slab, so ordered by u they bound the inside; where edges cross in a slab it is split there. Each edge at
// which the inside begins adds the area to its right, each at which it ends takes it away: what lies between
// remains.
#include "geometry/polygon_area.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace libdose {
namespace {

// A pixel is called empty or full when it is that to within the rounding of the sums.
constexpr double rounding = 1e-10;

struct Edge {
    double v0, u0, v1, u1;  // v0 < v1
    std::size_t polygon;
    double u_at(double v) const {
        if (v <= v0) return u0;
        if (v >= v1) return u1;
        return u0 + (u1 - u0) * ((v - v0) / (v1 - v0));
    }
};

struct Span {  // an edge within one slab
    double top, bottom;
    double middle() const { return top + bottom; }  // twice the middle: only the order matters
};
struct OwnedSpan : Span {  // of which polygon
    std::size_t polygon;
};

/// Mean of max(0, x - u) for u uniform on [a, b].
double mean_excess(double x, double a, double b) {
    if (x <= a) return 0;
    if (x >= b) return x - 0.5 * (a + b);
    return (x - a) * (x - a) / (2 * (b - a));
}

class Row {
public:
    explicit Row(int columns)
        : partial_(static_cast<std::size_t>(columns), 0.0),
          full_(static_cast<std::size_t>(columns) + 1, 0.0) {}

    /// Adds the area to the right of an edge piece of this height (signed).
    void add_right_of(const Span& span, double height) {
        const double a = std::min(span.top, span.bottom), b = std::max(span.top, span.bottom);
        const int columns = static_cast<int>(partial_.size());
        if (a >= columns) return;
        const int first = a <= 0 ? 0 : static_cast<int>(std::floor(a));
        const int end = b >= columns ? columns : std::max(first, static_cast<int>(std::ceil(b)));
        double below = mean_excess(first, a, b);
        for (int c = first; c < end; ++c) {
            const double above = mean_excess(c + 1, a, b);
            partial_[static_cast<std::size_t>(c)] += height * (above - below);
            below = above;
        }
        full_[static_cast<std::size_t>(end)] += height;
    }

    /// Writes the fractions of columns [first, end) and clears the row.
    void flush(int first, int end, double* out) {
        double running = 0;
        for (int c = 0; c < end; ++c) {
            const auto i = static_cast<std::size_t>(c);
            running += full_[i];
            if (c < first) continue;
            const double value = running + partial_[i];
            out[c - first] = value < rounding ? 0.0 : value > 1 - rounding ? 1.0 : value;
        }
        std::fill(partial_.begin(), partial_.end(), 0.0);
        std::fill(full_.begin(), full_.end(), 0.0);
    }

private:
    std::vector<double> partial_, full_;
};

/// The area of everything, without pixels.
class WholeArea {
public:
    void add_right_of(const Span& span, double height) { area_ -= 0.5 * height * span.middle(); }
    double area() const { return area_; }

private:
    double area_ = 0;
};

/// Inside after an odd number of edges.
class EvenOdd {
public:
    using Piece = Span;
    static Piece piece(const Edge&, double top, double bottom) { return {top, bottom}; }
    void begin() { inside_ = false; }
    /// Whether what lies beyond an edge is inside.
    bool cross(const Piece&) { return inside_ = !inside_; }

private:
    bool inside_ = false;
};

/// Inside by the innermost of the polygons around a point.
class Innermost {
public:
    using Piece = OwnedSpan;
    static Piece piece(const Edge& edge, double top, double bottom) { return {{top, bottom}, edge.polygon}; }
    explicit Innermost(const PolygonNesting& nesting) : nesting_(nesting) {}
    void begin() { around_.clear(); }
    bool cross(const Piece& edge) {
        const auto found = std::find(around_.begin(), around_.end(), edge.polygon);
        if (found == around_.end())
            around_.push_back(edge.polygon);
        else
            around_.erase(found);
        return std::any_of(around_.begin(), around_.end(), [&](std::size_t p) {
            const auto& inner = nesting_.encloses[p];
            return nesting_.solid[p] &&
                   std::none_of(around_.begin(), around_.end(), [&](std::size_t q) { return inner[q]; });
        });
    }

private:
    const PolygonNesting& nesting_;
    std::vector<std::size_t> around_;
};

/// Inside of two polygons at once.
class Both {
public:
    using Piece = OwnedSpan;
    static Piece piece(const Edge& edge, double top, double bottom) { return {{top, bottom}, edge.polygon}; }
    void begin() { inside_ = {false, false}; }
    bool cross(const Piece& edge) {
        inside_[edge.polygon] = !inside_[edge.polygon];
        return inside_[0] && inside_[1];
    }

private:
    std::array<bool, 2> inside_{};
};

template <class Inside, class Sum>
void add_ordered(std::vector<typename Inside::Piece>& spans, double height, Inside& inside, Sum& sum) {
    std::sort(spans.begin(), spans.end(),
              [](const Span& a, const Span& b) { return a.middle() < b.middle(); });
    inside.begin();
    bool before = false;
    for (const auto& span : spans) {
        const bool after = inside.cross(span);
        if (after != before) sum.add_right_of(span, after ? height : -height);
        before = after;
    }
}

template <class Inside, class Sum>
void add_slab(std::vector<typename Inside::Piece>& spans, double height, Inside& inside, Sum& sum) {
    std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
        return a.top != b.top ? a.top < b.top : a.bottom < b.bottom;
    });
    const bool crossing = !std::is_sorted(spans.begin(), spans.end(),
                                          [](const Span& a, const Span& b) { return a.bottom < b.bottom; });
    if (!crossing) return add_ordered(spans, height, inside, sum);

    std::vector<double> cuts{0, 1};
    for (std::size_t i = 0; i < spans.size(); ++i)
        for (std::size_t j = i + 1; j < spans.size(); ++j) {
            const double at_top = spans[j].top - spans[i].top, at_bottom = spans[j].bottom - spans[i].bottom;
            if (at_top > 0 && at_bottom < 0) cuts.push_back(at_top / (at_top - at_bottom));
        }
    std::sort(cuts.begin(), cuts.end());
    std::vector<typename Inside::Piece> part = spans;
    for (std::size_t k = 1; k < cuts.size(); ++k) {
        if (cuts[k] <= cuts[k - 1]) continue;
        for (std::size_t i = 0; i < spans.size(); ++i) {
            const auto at = [&](double t) { return spans[i].top + t * (spans[i].bottom - spans[i].top); };
            part[i] = spans[i];
            part[i].top = at(cuts[k - 1]);
            part[i].bottom = at(cuts[k]);
        }
        add_ordered(part, height * (cuts[k] - cuts[k - 1]), inside, sum);
    }
}

/// The edges of polygons by the v at which they begin, and what they span.
struct EdgeTable {
    explicit EdgeTable(const std::vector<Polygon2>& polygons) {
        for (std::size_t n = 0; n < polygons.size(); ++n)
            for (std::size_t i = 0; i < polygons[n].size(); ++i) {
                const auto& p = polygons[n][i];
                const auto& q = polygons[n][(i + 1) % polygons[n].size()];
                left = std::min(left, p[0]);
                right = std::max(right, p[0]);
                low = std::min(low, p[1]);
                high = std::max(high, p[1]);
                vertices.push_back(p[1]);
                if (p[1] < q[1]) edges.push_back({p[1], p[0], q[1], q[0], n});
                if (p[1] > q[1]) edges.push_back({q[1], q[0], p[1], p[0], n});
            }
        std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.v0 < b.v0; });
    }

    std::vector<Edge> edges;
    std::vector<double> vertices;  ///< v of each
    double left = std::numeric_limits<double>::infinity(), right = -left, low = left, high = -left;
};

/// Adds the slabs between events, which are all the vertices in their range; `ended(v)` is called behind each
/// slab.
template <class Inside, class Sum, class Ended>
void sweep(const EdgeTable& table, std::vector<double>& events, Inside inside, Sum& sum, Ended&& ended) {
    std::sort(events.begin(), events.end());
    events.erase(std::unique(events.begin(), events.end()), events.end());
    std::vector<Edge> active;
    std::vector<typename Inside::Piece> spans;
    std::size_t next = 0;
    for (std::size_t e = 0; e + 1 < events.size(); ++e) {
        const double top = events[e], bottom = events[e + 1];
        while (next < table.edges.size() && table.edges[next].v0 <= top)
            active.push_back(table.edges[next++]);
        std::erase_if(active, [&](const Edge& edge) { return edge.v1 <= top; });
        if (!active.empty()) {
            spans.clear();
            for (const Edge& edge : active)
                spans.push_back(Inside::piece(edge, edge.u_at(top), edge.u_at(bottom)));
            add_slab(spans, bottom - top, inside, sum);
        }
        ended(bottom);
    }
}

template <class Inside>
PixelCoverage coverage(const std::vector<Polygon2>& polygons, int columns, int rows, const Inside& inside) {
    const EdgeTable table(polygons);
    PixelCoverage result;
    if (table.edges.empty() || table.high <= 0 || table.low >= rows || table.right <= 0 ||
        table.left >= columns)
        return result;
    result.first_column = table.left <= 0 ? 0 : static_cast<int>(std::floor(table.left));
    result.end_column = table.right >= columns ? columns : static_cast<int>(std::ceil(table.right));
    result.first_row = table.low <= 0 ? 0 : static_cast<int>(std::floor(table.low));
    result.end_row = table.high >= rows ? rows : static_cast<int>(std::ceil(table.high));
    const int width = result.end_column - result.first_column;
    result.fraction.assign(
        static_cast<std::size_t>(width) * static_cast<std::size_t>(result.end_row - result.first_row), 0.0);

    std::vector<double> events;
    for (const double v : table.vertices)
        if (v > 0 && v < rows) events.push_back(v);
    for (int r = result.first_row; r <= result.end_row; ++r) events.push_back(r);
    Row row(columns);
    sweep(table, events, inside, row, [&](double bottom) {
        if (bottom != std::floor(bottom)) return;
        const auto r = static_cast<std::size_t>(static_cast<int>(bottom) - 1 - result.first_row);
        row.flush(result.first_column, result.end_column,
                  &result.fraction[r * static_cast<std::size_t>(width)]);
    });
    return result;
}

template <class Inside>
double whole_area(const std::vector<Polygon2>& polygons, const Inside& inside) {
    const EdgeTable table(polygons);
    std::vector<double> events = table.vertices;
    WholeArea whole;
    sweep(table, events, inside, whole, [](double) {});
    return whole.area();
}

}  // namespace

PixelCoverage even_odd_coverage(const std::vector<Polygon2>& polygons, int columns, int rows) {
    return coverage(polygons, columns, rows, EvenOdd());
}

PixelCoverage nested_coverage(const std::vector<Polygon2>& polygons, const PolygonNesting& nesting,
                              int columns, int rows) {
    return coverage(polygons, columns, rows, Innermost(nesting));
}

double even_odd_area(const std::vector<Polygon2>& polygons) { return whole_area(polygons, EvenOdd()); }

double common_area(const Polygon2& a, const Polygon2& b) {
    const auto height = [](const Polygon2& polygon) {
        const auto [low, high] = std::minmax_element(
            polygon.begin(), polygon.end(), [](const auto& p, const auto& q) { return p[1] < q[1]; });
        return std::pair((*low)[1], (*high)[1]);
    };
    const auto [low_a, high_a] = height(a);
    const auto [low_b, high_b] = height(b);
    const double low = std::max(low_a, low_b), high = std::min(high_a, high_b);
    if (!(low < high)) return 0;
    const EdgeTable table({a, b});
    std::vector<double> events{low, high};
    for (const double v : table.vertices)
        if (v > low && v < high) events.push_back(v);
    WholeArea whole;
    sweep(table, events, Both(), whole, [](double) {});
    return whole.area();
}

double nested_area(const std::vector<Polygon2>& polygons, const PolygonNesting& nesting) {
    return whole_area(polygons, Innermost(nesting));
}

}  // namespace libdose
