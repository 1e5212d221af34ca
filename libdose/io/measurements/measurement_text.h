// Statements in free text, and the set of curves that the readers of measurements fill.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libdose/io/measurements.h"
#include "libdose/measurement.h"

namespace libdose::io {

/// A number with its unit, mm; throws bad_input for another unit.
double in_mm(double value, const std::string& unit, const std::string& where);
/// The whole text as a number. Throws bad_input: "is not a number".
double number_of(const std::string& text, const std::string& where);
std::string trimmed(const std::string& text);
std::vector<std::string> split(const std::string& text, char separator);
/// Lines of a text file without carriage returns. Throws bad_input.
std::vector<std::string> lines_of(const std::filesystem::path& file);

/// Statements of the comments of a file, in lines "key: value" and in sentences.
struct Statements {
    std::map<std::string, std::string> keys;  ///< those that are known, lower case
    std::optional<double> energy_mv, ssd_mm, sad_mm, depth_mm, side_x_mm, side_y_mm;
    std::optional<double> unity_mm;           ///< "1 at 100 mm": depth, or side of the square
    std::optional<double> reference_side_mm;  ///< "100 x 100 mm = 1"
    std::optional<std::string> fluence_mode;
    std::optional<MeasuredWedge>
        wedge_in;  ///< by the key "wedge"; its angle may be 0 where the columns state it
    std::optional<double> travel_mm;
    std::optional<std::pair<double, double>> jaws_mm,
        leaf_opening_mm;                  ///< by the keys "jaws" and "leaf opening"
    std::optional<bool> unity_of_leaves;  ///< "leaves 100 x 100 mm = 1" or "jaws 100 x 100 mm = 1"
    bool one_at_maximum = false, wedge = false,
         leaf_field = false;  ///< wedge, leaf_field: the words speak of one
    std::string title;        ///< first sentence
    std::string text;         ///< all of them
};
/// Throws bad_input when the comments state a quantity twice with different values, or a key that is not
/// known and has a meaning.
Statements statements_of(const std::vector<std::string>& comments, const std::string& file);

/// Collects the curves of a set, and the beam that they share.
class SetBuilder {
public:
    explicit SetBuilder(const MeasurementQuestions& asked) : asked_(asked) {}

    /// The value that a file states, or else the user's; throws bad_input when they differ, or when there is
    /// none and `needed`.
    std::optional<double> settle(const std::optional<double>& stated, const std::optional<double>& asked,
                                 const std::string& what, const std::string& option, const std::string& where,
                                 bool needed) const;
    void energy(const std::optional<double>& mv, const std::string& where);
    void fluence_mode(const std::optional<std::string>& mode, const std::string& where);
    void machine(const std::string& name, const std::string& where);
    void title(const std::string& text);
    /// Sorts the points and names the curve.
    void add(MeasuredCurve curve);

    const MeasurementQuestions& asked() const { return asked_; }
    MeasurementSet set;

private:
    const MeasurementQuestions& asked_;
    std::string energy_where_, mode_where_, machine_where_;
};

/// Puts the leaves that shape a file's fields, and the jaws about them, into the curve that its columns start
/// from. Throws bad_input where only a part of them is stated. False: the file is to be passed over (noted),
/// for its words speak of leaves and no line states them.
bool state_leaves(MeasuredCurve& base, const Statements& stated, const std::string& stem, SetBuilder& builder,
                  const std::string& file);

/// By its extension and its first lines.
void read_measurement_file(const std::filesystem::path& file, SetBuilder& builder);
void read_measurement_csv(const std::filesystem::path& file, SetBuilder& builder,
                          const std::map<std::string, std::string>& given = {});
void read_rfa300(const std::filesystem::path& file, SetBuilder& builder);
void read_mcc(const std::filesystem::path& file, SetBuilder& builder);
void read_w2cad(const std::filesystem::path& file, SetBuilder& builder);
void read_measurement_yaml(const std::filesystem::path& file, SetBuilder& builder);

}  // namespace libdose::io
