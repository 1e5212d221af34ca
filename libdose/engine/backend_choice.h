// The backend that a calculation asks for.
#pragma once

#include <memory>
#include <string>

#include "backend/backend.h"

namespace libdose {

struct ChosenBackend {
    std::shared_ptr<Backend> own;  ///< null: the CPU, which is always there
    std::string note;              ///< why it is the CPU where the choice was left open; may be empty
    Backend& get() const { return own ? *own : cpu_backend(); }
};

/// Throws bad_input where a CUDA device is asked for and there is none; `automatic` takes the CPU then. With
/// `devices` (may be null) one that is idle there is taken, and it goes back at the end of `own` unless it
/// has failed.
ChosenBackend choose_backend(BackendChoice choice, int device,
                             const std::shared_ptr<OpenDevices>& devices = {});

/// Checks the memory that the calculation needs: throws bad_input where there is too little; `automatic`
/// takes the CPU where only the device has too little. What is idle in `devices` is closed before.
void require_memory(ChosenBackend& backend, BackendChoice choice, const MemoryNeeds& needs,
                    const std::string& where, const std::shared_ptr<OpenDevices>& devices = {});

}  // namespace libdose
