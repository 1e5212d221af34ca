#include "libdose/io/provenance.h"

#include "libdose/io/hdf5.h"

namespace libdose::io {

void add_inputs(Provenance& provenance, const HuCurve& hu_curve, const CtImage& ct,
                const StructureSet* structures, const Plan& plan) {
    provenance.hu_curve_hash = sha256(hu_curve.canonical_text());
    provenance.input_uids["plan"] = plan.sop_instance_uid;
    provenance.input_uids["ct_series"] = ct.series_uid;
    if (structures) provenance.input_uids["structure_set"] = structures->sop_instance_uid;
}

}  // namespace libdose::io
