// From the opening of the devices to what leaves the head: sources, filters, monitor.
#pragma once

#include <memory>
#include <vector>

#include "cpu/fluence.h"

namespace libdose::cpu {

/// Part of a monitor unit's fluence that a control point gives: scatter of the jaws into the monitor chamber, and the model's table of output.
double output_factor(const Beam& beam, const ControlPoint& point, const HeadModel& head);

/// What changes the spectrum while the wedges are as given; null where nothing does.
std::shared_ptr<const BeamFilter> beam_filter(const Beam& beam, const std::vector<bool>& wedge_in, const HeadModel& head);

/// Turns a sum of apertures into the fluence of the head: focal spot, open-field profile, primary collimator, extrafocal source, wedge, trays,
/// and the blurred aperture of the electrons.
void finish(FluenceMap& map, const Beam& beam, const HeadModel& head, const FluenceOptions& options, double collimator_deg);

}  // namespace libdose::cpu
