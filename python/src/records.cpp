#include "records.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <tuple>
#include <type_traits>
#include <vector>

#include "arrays.h"
#include "libdose/error.h"

namespace libdose::python {

namespace {

template <class T, class M>
struct Field {
    const char* name;
    M T::*member;
};
template <class T, class M>
Field(const char*, M T::*) -> Field<T, M>;

/// Name of the dataclass and its fields.
template <class T>
struct Record;

template <>
struct Record<MultileafCollimator> {
    static constexpr const char* name = "MultileafCollimator";
    static constexpr auto fields =
        std::tuple{Field{"type", &MultileafCollimator::type}, Field{"motion", &MultileafCollimator::motion},
                   Field{"leaf_boundaries_mm", &MultileafCollimator::leaf_boundaries_mm}};
};
template <>
struct Record<LeafPositions> {
    static constexpr const char* name = "LeafPositions";
    static constexpr auto fields =
        std::tuple{Field{"lower_mm", &LeafPositions::lower_mm}, Field{"upper_mm", &LeafPositions::upper_mm}};
};
template <>
struct Record<Wedge> {
    static constexpr const char* name = "Wedge";
    static constexpr auto fields = std::tuple{Field{"number", &Wedge::number},
                                              Field{"kind", &Wedge::kind},
                                              Field{"id", &Wedge::id},
                                              Field{"angle_deg", &Wedge::angle_deg},
                                              Field{"orientation_deg", &Wedge::orientation_deg},
                                              Field{"factor", &Wedge::factor}};
};
template <>
struct Record<Block> {
    static constexpr const char* name = "Block";
    static constexpr auto fields = std::tuple{Field{"number", &Block::number},
                                              Field{"name", &Block::name},
                                              Field{"aperture", &Block::aperture},
                                              Field{"divergent", &Block::divergent},
                                              Field{"transmission", &Block::transmission},
                                              Field{"tray_distance_mm", &Block::tray_distance_mm},
                                              Field{"thickness_mm", &Block::thickness_mm},
                                              Field{"source_side", &Block::source_side},
                                              Field{"x_mm", &Block::x_mm},
                                              Field{"y_mm", &Block::y_mm}};
};
template <>
struct Record<BeamBolus> {
    static constexpr const char* name = "BeamBolus";
    static constexpr auto fields =
        std::tuple{Field{"structure_number", &BeamBolus::structure_number}, Field{"id", &BeamBolus::id}};
};
template <>
struct Record<ControlPoint> {
    static constexpr const char* name = "ControlPoint";
    static constexpr auto fields = std::tuple{Field{"gantry_deg", &ControlPoint::gantry_deg},
                                              Field{"collimator_deg", &ControlPoint::collimator_deg},
                                              Field{"couch_deg", &ControlPoint::couch_deg},
                                              Field{"isocentre_mm", &ControlPoint::isocentre_mm},
                                              Field{"jaw_x", &ControlPoint::jaw_x},
                                              Field{"jaw_y", &ControlPoint::jaw_y},
                                              Field{"leaves", &ControlPoint::leaves},
                                              Field{"wedge_in", &ControlPoint::wedge_in},
                                              Field{"cumulative_weight", &ControlPoint::cumulative_weight}};
};
template <>
struct Record<Beam> {
    static constexpr const char* name = "Beam";
    static constexpr auto fields =
        std::tuple{Field{"number", &Beam::number},
                   Field{"name", &Beam::name},
                   Field{"machine", &Beam::machine},
                   Field{"manufacturer", &Beam::manufacturer},
                   Field{"machine_model", &Beam::machine_model},
                   Field{"nominal_energy_mv", &Beam::nominal_energy_mv},
                   Field{"fluence_mode", &Beam::fluence_mode},
                   Field{"meterset_mu", &Beam::meterset_mu},
                   Field{"source_axis_distance_mm", &Beam::source_axis_distance_mm},
                   Field{"final_cumulative_weight", &Beam::final_cumulative_weight},
                   Field{"collimators", &Beam::collimators},
                   Field{"wedges", &Beam::wedges},
                   Field{"blocks", &Beam::blocks},
                   Field{"tray_factor", &Beam::tray_factor},
                   Field{"tray_water_mm", &Beam::tray_water_mm},
                   Field{"boluses", &Beam::boluses},
                   Field{"control_points", &Beam::control_points},
                   Field{"gantry_rotation", &Beam::gantry_rotation},
                   Field{"dose_point_mm", &Beam::dose_point_mm},
                   Field{"dose_point_gy", &Beam::dose_point_gy}};
};
template <>
struct Record<GateEntry> {
    static constexpr const char* name = "GateEntry";
    static constexpr auto fields = std::tuple{Field{"verdict", &GateEntry::verdict},
                                              Field{"beam", &GateEntry::beam},
                                              Field{"tag", &GateEntry::tag},
                                              Field{"name", &GateEntry::name},
                                              Field{"where", &GateEntry::where},
                                              Field{"value", &GateEntry::value},
                                              Field{"reason", &GateEntry::reason},
                                              Field{"count", &GateEntry::count},
                                              Field{"acceptable", &GateEntry::acceptable}};
};
template <>
struct Record<Plan> {
    static constexpr const char* name = "Plan";
    static constexpr auto fields =
        std::tuple{Field{"label", &Plan::label},
                   Field{"name", &Plan::name},
                   Field{"sop_instance_uid", &Plan::sop_instance_uid},
                   Field{"sop_class_uid", &Plan::sop_class_uid},
                   Field{"patient_id", &Plan::patient_id},
                   Field{"frame_of_reference_uid", &Plan::frame_of_reference_uid},
                   Field{"referenced_structure_set_uid", &Plan::referenced_structure_set_uid},
                   Field{"position", &Plan::position},
                   Field{"fraction_group", &Plan::fraction_group},
                   Field{"fractions", &Plan::fractions},
                   Field{"beams", &Plan::beams},
                   Field{"notes", &Plan::notes},
                   Field{"gate", &Plan::gate}};
};
template <>
struct Record<Structure> {
    static constexpr const char* name = "Structure";
    static constexpr auto fields =
        std::tuple{Field{"number", &Structure::number},
                   Field{"name", &Structure::name},
                   Field{"type", &Structure::type},
                   Field{"contours", &Structure::contours},
                   Field{"xor_contours", &Structure::xor_contours},
                   Field{"plane_spacing_mm", &Structure::plane_spacing_mm},
                   Field{"relative_mass_density", &Structure::relative_mass_density},
                   Field{"relative_electron_density", &Structure::relative_electron_density},
                   Field{"material", &Structure::material},
                   Field{"frame_of_reference_uid", &Structure::frame_of_reference_uid}};
};
template <>
struct Record<StructureSet> {
    static constexpr const char* name = "StructureSet";
    static constexpr auto fields =
        std::tuple{Field{"sop_instance_uid", &StructureSet::sop_instance_uid},
                   Field{"frame_of_reference_uid", &StructureSet::frame_of_reference_uid},
                   Field{"label", &StructureSet::label},
                   Field{"patient_id", &StructureSet::patient_id},
                   Field{"referenced_series_uid", &StructureSet::referenced_series_uid},
                   Field{"structures", &StructureSet::structures},
                   Field{"notes", &StructureSet::notes}};
};

template <class E>
struct Word {
    E value;
    const char* text;
};
template <class E>
constexpr std::array<Word<E>, 0> words{};
template <>
constexpr std::array words<MultileafCollimator::Motion>{
    Word<MultileafCollimator::Motion>{MultileafCollimator::Motion::along_x, "x"},
    Word<MultileafCollimator::Motion>{MultileafCollimator::Motion::along_y, "y"}};
template <>
constexpr std::array words<Wedge::Kind>{Word<Wedge::Kind>{Wedge::Kind::physical, "physical"},
                                        Word<Wedge::Kind>{Wedge::Kind::motorised, "motorised"},
                                        Word<Wedge::Kind>{Wedge::Kind::dynamic, "dynamic"}};
template <>
constexpr std::array words<Rotation>{Word<Rotation>{Rotation::none, "none"},
                                     Word<Rotation>{Rotation::clockwise, "clockwise"},
                                     Word<Rotation>{Rotation::counter_clockwise, "counter-clockwise"}};
template <>
constexpr std::array words<GateEntry::Verdict>{
    Word<GateEntry::Verdict>{GateEntry::Verdict::honoured, "honoured"},
    Word<GateEntry::Verdict>{GateEntry::Verdict::harmless, "harmless"},
    Word<GateEntry::Verdict>{GateEntry::Verdict::accepted, "accepted"},
    Word<GateEntry::Verdict>{GateEntry::Verdict::refused, "refused"}};

template <class T>
concept IsRecord = requires {
    Record<T>::name;
};

// To Python.
nb::object value_of(bool v) { return nb::bool_(v); }
nb::object value_of(int v) { return nb::int_(v); }
nb::object value_of(std::size_t v) { return nb::int_(v); }
nb::object value_of(double v) { return nb::float_(v); }
nb::object value_of(const std::string& v) { return nb::cast(v); }
nb::object value_of(const Vec3& v) { return nb::make_tuple(v[0], v[1], v[2]); }
nb::object value_of(const JawOpening& v) { return nb::make_tuple(v.lower_mm, v.upper_mm); }
nb::object value_of(PatientPosition v) { return nb::cast(to_string(v)); }
nb::object value_of(const std::vector<double>& v) { return nb::cast(array_of(v)); }
nb::object value_of(const std::vector<bool>& v) {
    nb::list list;
    for (const bool b : v) list.append(b);
    return list;
}
nb::object value_of(const Contour& contour) {
    auto* points = new std::vector<double>;
    for (const Vec3& p : contour.points_mm) points->insert(points->end(), {p[0], p[1], p[2]});
    const nb::capsule owner(points, [](void* p) noexcept { delete static_cast<std::vector<double>*>(p); });
    return nb::cast(
        nb::ndarray<nb::numpy, double, nb::ndim<2>>(points->data(), {points->size() / 3, 3}, owner));
}
template <class E>
requires std::is_enum_v<E> nb::object value_of(E v) {
    for (const auto& word : words<E>)
        if (word.value == v) return nb::cast(std::string(word.text));
    throw internal_error("a value without a name");
}
template <IsRecord T>
nb::object value_of(const T& record);
template <class T>
nb::object value_of(const std::optional<T>& v) {
    return v ? value_of(*v) : nb::none();
}
template <class T>
nb::object value_of(const std::vector<T>& v) {
    nb::list list;
    for (const T& item : v) list.append(value_of(item));
    return list;
}
template <IsRecord T>
nb::object value_of(const T& record) {
    nb::dict fields;
    std::apply([&](const auto&... field) { ((fields[field.name] = value_of(record.*field.member)), ...); },
               Record<T>::fields);
    return nb::module_::import_("libdose.records").attr(Record<T>::name)(**fields);
}

// From Python.
[[noreturn]] void wrong_type(const std::string& where, const char* wanted) {
    throw nb::type_error((where + " is not " + wanted).c_str());
}
template <class T>
void take(nb::handle from, T& to, const std::string& where, const char* wanted) {
    if (!nb::try_cast<T>(from, to)) wrong_type(where, wanted);
}
void read(nb::handle from, bool& to, const std::string& where) {
    const int truth = PyObject_IsTrue(from.ptr());
    if (truth < 0) throw nb::python_error();
    (void)where;
    to = truth != 0;
}
void read(nb::handle from, int& to, const std::string& where) { take(from, to, where, "a whole number"); }
void read(nb::handle from, std::size_t& to, const std::string& where) {
    take(from, to, where, "a whole number");
}
void read(nb::handle from, double& to, const std::string& where) { take(from, to, where, "a number"); }
void read(nb::handle from, std::string& to, const std::string& where) { take(from, to, where, "text"); }
void read(nb::handle from, Vec3& to, const std::string& where) {
    Triple t;
    take(from, t, where, "three numbers");
    to = vector(t);
}
void read(nb::handle from, JawOpening& to, const std::string& where) {
    std::pair<double, double> pair;
    take(from, pair, where, "two numbers");
    to = {pair.first, pair.second};
}
void read(nb::handle from, PatientPosition& to, const std::string& where) {
    std::string text;
    read(from, text, where);
    to = patient_position_from_string(text);
}
void read(nb::handle from, std::vector<double>& to, const std::string& where) {
    take(from, to, where, "a sequence of numbers");
}
void read(nb::handle from, Contour& to, const std::string& where) {
    std::vector<Triple> points;
    take(from, points, where, "an array of points (x, y, z)");
    for (const Triple& p : points) to.points_mm.push_back(vector(p));
}
template <class E>
requires std::is_enum_v<E>
void read(nb::handle from, E& to, const std::string& where) {
    std::string text, known;
    read(from, text, where);
    for (const auto& word : words<E>) {
        if (text == word.text) {
            to = word.value;
            return;
        }
        known += std::string(known.empty() ? "" : ", ") + word.text;
    }
    throw bad_input("\"" + text + "\" is not known", where, "It is one of: " + known);
}
template <IsRecord T>
void read(nb::handle from, T& to, const std::string& where);
template <class T>
void read(nb::handle from, std::optional<T>& to, const std::string& where) {
    if (from.is_none()) return;
    to.emplace();
    read(from, *to, where);
}
template <class T>
void read(nb::handle from, std::vector<T>& to, const std::string& where) {
    if (!nb::isinstance<nb::sequence>(from) || nb::isinstance<nb::str>(from)) wrong_type(where, "a list");
    for (const nb::handle item : from) {
        T value{};
        read(item, value, where + "[" + std::to_string(to.size()) + "]");
        to.push_back(std::move(value));
    }
}
template <IsRecord T>
void read(nb::handle from, T& to, const std::string& where) {
    const std::string here = where.empty() ? Record<T>::name : where;
    const auto one = [&](const auto& field) {
        const std::string place = here + "." + field.name;
        if (!nb::hasattr(from, field.name))
            wrong_type(here, (std::string("a ") + Record<T>::name + ": it has no " + field.name).c_str());
        read(from.attr(field.name), to.*field.member, place);
    };
    std::apply([&](const auto&... field) { (one(field), ...); }, Record<T>::fields);
}

template <class T>
T record_of(nb::handle from) {
    T record;
    read(from, record, "");
    return record;
}

}  // namespace

nb::object to_python(const Plan& plan) { return value_of(plan); }
nb::object to_python(const StructureSet& structures) { return value_of(structures); }
nb::object to_python(const std::vector<GateEntry>& entries) { return value_of(entries); }
Plan plan_of(nb::handle plan) { return record_of<Plan>(plan); }
StructureSet structures_of(nb::handle structures) { return record_of<StructureSet>(structures); }
Structure structure_of(nb::handle structure) { return record_of<Structure>(structure); }

}  // namespace libdose::python
